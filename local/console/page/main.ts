/** The page of a local run: a login on the left, what travels on the right, the log and the operator's tools below. */
import type { JournalEntry, RunState } from '../run-state.ts';
import { control, readState } from './controls.ts';
import { button, element, fill } from './elements.ts';
import type { Exchange } from './exchange.ts';
import { flowOf } from './flow.ts';
import { logSection } from './log.ts';
import { type Act, faultsPanel, keysPanel, usersPanel } from './panels.ts';
import { language, say, switchLanguage } from './texts.ts';
import { showExchange } from './wire.ts';

const entries: JournalEntry[] = [];
let last: Exchange | undefined;
let state: RunState = await readState();
let log: ReturnType<typeof logSection>;
let drawPanels: () => void;
let isLive = true;
const connection = element('span', { role: 'status', id: 'connection' });

function sayLive(): void {
  connection.className = isLive ? 'good' : 'bad';
  fill(connection, say(isLive ? 'live' : 'gone'));
}

function draw(): void {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.title = say('title');
  const exchange = element('div', { id: 'exchange' }, element('p', { class: 'faint' }, say('nothingYet')));
  const show = (shown: Exchange): void => {
    last = shown;
    void showExchange(exchange, shown, () => last === shown);
  };
  if (last !== undefined) show(last);
  const flow = flowOf(state, show);
  const faults = element('div');
  const panels = element('div', { class: 'panels' });
  const done = element('span', { role: 'status', id: 'done' });
  const act: Act = async (name, body) => {
    try {
      await control(name, body);
      fill(done, say('done'));
    } catch (error) {
      fill(done, (error as Error).message);
    }
    await update();
  };
  drawPanels = () => {
    if (state.presets.length > 0) fill(faults, faultsPanel(state, act, flow.code));
    fill(panels, usersPanel(state, act), keysPanel(state, act));
  };
  drawPanels();
  sayLive();
  log = logSection(entries);
  fill(
    document.body,
    element(
      'header',
      {},
      element('h1', {}, say('title')),
      done,
      connection,
      button(say('language'), speakOther, {
        id: 'language',
        lang: language === 'zh' ? 'en' : 'zh-CN',
      }),
    ),
    element(
      'main',
      {},
      element('div', { class: 'life' }, flow.element, faults),
      element(
        'section',
        { class: 'wire', 'aria-labelledby': 'wire' },
        element('h2', { id: 'wire' }, say('wire')),
        exchange,
      ),
      log.element,
      panels,
    ),
  );
}

function speakOther(): void {
  switchLanguage();
  draw();
}

/** Reads the run again; what somebody is typing or choosing stays as it is. */
async function update(): Promise<void> {
  const before = JSON.stringify(state);
  state = await readState();
  if (JSON.stringify(state) !== before) drawPanels();
}

draw();
let waiting: ReturnType<typeof setTimeout> | undefined;
const events = new EventSource('/_local/events');
events.addEventListener('error', () => {
  isLive = false;
  sayLive();
});
events.addEventListener('open', () => {
  isLive = true;
  sayLive();
  void update();
});
events.addEventListener('message', ({ data }) => {
  const entry: JournalEntry = JSON.parse(data);
  entries.push(entry);
  log.add(entry);
  clearTimeout(waiting);
  waiting = setTimeout(() => void update(), 200);
});
