/** Makes elements: the whole of what a framework would be needed for here. */

type Child = Node | string;

interface Settings {
  readonly [attribute: string]: string | boolean | EventListener | undefined;
}

/** An element with attributes, listeners (`onclick`) and children; a string is text and never HTML. */
export function element<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  settings: Settings = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === 'function') made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, '');
    else if (typeof value === 'string') made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export function button(text: string, pressed: () => unknown, settings: Settings = {}): HTMLButtonElement {
  return element('button', { type: 'button', onclick: () => void pressed(), ...settings }, text);
}

/** A table with a head, which a screen reader announces and a narrow page scrolls. */
export function table(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly Child[])[],
): HTMLElement {
  return element(
    'div',
    { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': caption },
    element(
      'table',
      {},
      element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
      element(
        'tbody',
        {},
        ...rows.map((cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, cell)))),
      ),
    ),
  );
}

/** Replaces what is in an element; the focus stays on the button of the same id, and its tables where they were scrolled. */
export function fill(target: HTMLElement, ...children: readonly Child[]): void {
  const focused = target.contains(document.activeElement) ? document.activeElement?.id : undefined;
  const scrolled = [...target.querySelectorAll('.scroll')].map(({ scrollTop }) => scrollTop);
  target.replaceChildren(...children);
  for (const [index, box] of target.querySelectorAll('.scroll').entries())
    if (scrolled[index]) box.scrollTop = scrolled[index];
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}
