/** Where an AppSecret comes from: a prompt that shows nothing, or standard input; never the command line. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Io } from '../command/command.ts';
import { CommandError } from '../command/errors.ts';

/** Shown when something on the command line may be the secret; it does not repeat it. */
export const NEVER_AN_ARGUMENT =
  'The AppSecret is typed at a prompt, or read from standard input, and never an argument: those stay in the history of the ' +
  'shell and in the logs of npm, and show in the list of processes. If that was the real one, reset it in the ' +
  'mini-program console.';

/** WeChat promises neither length nor alphabet; a space or a line break is a slip of the clipboard. */
const APP_SECRET = /^[\x21-\x7e]{1,256}$/;

/**
 * Reads an AppSecret from a prompt, or from standard input when that is no terminal.
 *
 * @throws CommandError when nothing is given, or what cannot be an AppSecret; the text is not in it
 */
export async function readAppSecret(appid: string, io: Io): Promise<string> {
  const given = io.stdin.isTTY
    ? await promptHidden(io, `AppSecret of ${appid} (it is not shown): `)
    : (await text(io.stdin)).replace(/\r?\n$/, '');
  if (given === '') throw new CommandError('No AppSecret was given; nothing was changed.');
  if (!APP_SECRET.test(given))
    throw new CommandError(
      'That is no AppSecret: it must be one line of at most 256 printable ASCII characters without spaces; nothing was changed.',
    );
  return given;
}

async function promptHidden({ stdin, stderr }: Io, question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const prompt = createInterface({
    input: stdin,
    output: nowhere,
    terminal: true,
    historySize: 0,
  });
  // Only now is nothing shown any more: whoever types at once would see it.
  stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      prompt.once('line', resolve);
      // Ctrl-C and Ctrl-D.
      prompt.once('close', () => reject(new CommandError('Nothing was changed.')));
    });
  } finally {
    prompt.close();
    stderr.write('\n');
  }
}
