/** Where an AppSecret comes from: a prompt that shows nothing, or standard input; never the command line. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CommandError } from '../command/errors.ts';

/** Shown when something on the command line may be the secret; it does not repeat it. */
export const NEVER_AN_ARGUMENT =
  'The AppSecret is asked for, or read from standard input, and never an argument: those stay in the history of the ' +
  'shell and in the logs of npm, and show in the list of processes. If that was the real one, reset it in the ' +
  'mini-program console.';

/** WeChat promises neither length nor alphabet; a space or a line break is a slip of the clipboard. */
const APP_SECRET = /^[\x21-\x7e]{1,256}$/;

/**
 * Asks for an AppSecret, or takes it from standard input when that is no terminal.
 *
 * @throws CommandError when nothing is given, or what cannot be an AppSecret; the text is not in it
 */
export async function readAppSecret(appid: string): Promise<string> {
  const given = process.stdin.isTTY
    ? await promptHidden(`AppSecret of ${appid} (it is not shown): `)
    : (await text(process.stdin)).replace(/\r?\n$/, '');
  if (given === '') throw new CommandError('No AppSecret was given; nothing was changed.');
  if (!APP_SECRET.test(given))
    throw new CommandError(
      'That is no AppSecret: it must be one line of at most 256 printable ASCII characters without spaces; nothing was changed.',
    );
  return given;
}

async function promptHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({
    input: process.stdin,
    output: nowhere,
    terminal: true,
    historySize: 0,
  });
  try {
    return await new Promise<string>((resolve, reject) => {
      prompt.once('line', resolve);
      // Ctrl-C and Ctrl-D.
      prompt.once('close', () => reject(new CommandError('Nothing was changed.')));
    });
  } finally {
    prompt.close();
    process.stderr.write('\n');
  }
}
