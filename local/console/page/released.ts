/**
 * Draws what comes by itself when no button is held down: a press whose button is replaced or moves away before it is
 * released does nothing, without a word.
 */

const waiting: (() => void)[] = [];

/** Draws at once, or when what is held down is released; in the order of the calls. */
export function whenReleased(draw: () => void): void {
  if (waiting.push(draw) === 1) drawUnlessHeld();
}

/** Looks, and does not listen: not every press that begins on a page ends with an event that the page sees. */
function drawUnlessHeld(): void {
  if (document.querySelector(':is(button, summary):active') !== null) setTimeout(drawUnlessHeld, 50);
  else for (const draw of waiting.splice(0)) draw();
}
