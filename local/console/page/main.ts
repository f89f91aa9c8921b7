/** The page of a local run: a login on the left, what travels on the right, the log and the operator's tools below. */
import type { JournalEntry, RunState } from '../run-state.ts';
import { control, readState } from './controls.ts';
import { button, element, fill } from './elements.ts';
import type { Exchange } from './exchange.ts';
import { flowOf } from './flow.ts';
import { logSection } from './log.ts';
import { type Act, faultsPanel, keysPanel, usersPanel } from './panels.ts';
import { whenReleased } from './released.ts';
import { language, say, switchLanguage } from './texts.ts';
import { showExchange } from './wire.ts';

const entries: JournalEntry[] = [];
let last: Exchange | undefined;
let state: RunState = await readState();
let log: ReturnType<typeof logSection>;
let drawPanels: () => void;
let isLive = true;
let readings = 0;
/** Made once, so what is still under way shows its end there after a change of the language, too. */
const connection = element('span', { role: 'status', id: 'connection' });
const done = element('span', { role: 'status', id: 'done' });
const exchange = element('div', { id: 'exchange' });

function sayLive(): void {
  connection.className = isLive ? 'good' : 'bad';
  fill(connection, say(isLive ? 'live' : 'gone'));
}

function show(shown: Exchange): void {
  last = shown;
  void showExchange(exchange, shown, () => last === shown);
}

function draw(): void {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.title = say('title');
  if (last === undefined) fill(exchange, element('p', { class: 'faint' }, say('nothingYet')));
  else show(last);
  const flow = flowOf(state, show);
  const panels = element('div', { class: 'panels' });
  const act: Act = async (name, body) => {
    try {
      await control(name, body);
      fill(done, say('done'));
    } catch (error) {
      fill(done, (error as Error).message);
    }
    await update();
  };
  const faults = state.presets.length > 0 ? faultsPanel(state, act, flow.code) : undefined;
  drawPanels = () => {
    faults?.show(state);
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
      element('div', { class: 'life' }, flow.element, ...(faults === undefined ? [] : [faults.element])),
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

/** Reads the run again; what somebody is pressing, typing or choosing stays as it is. */
async function update(): Promise<void> {
  readings += 1;
  const reading = readings;
  const read = await readState();
  // One that was asked for later knows better, whichever comes first.
  if (reading !== readings || JSON.stringify(read) === JSON.stringify(state)) return;
  state = read;
  whenReleased(() => drawPanels());
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
  whenReleased(() => {
    entries.push(entry);
    log.add(entry);
  });
  clearTimeout(waiting);
  waiting = setTimeout(() => void update(), 200);
});
