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

/** As WeChat's console takes them; there is no key where messages come in plaintext only. */
export const PUSH_TOKEN = /^[A-Za-z0-9]{3,32}$/;
export const ENCODING_AES_KEY = /^([A-Za-z0-9]{43})?$/;

/**
 * Reads the Token and the EncodingAESKey of a message push, each from a prompt, or both from standard input, one a line.
 * The key is empty where messages come in plaintext only.
 *
 * @throws CommandError when one is not what WeChat's console takes; the text is not in it
 */
export async function readPushSecrets(
  appid: string,
  io: Io,
): Promise<{ readonly token: string; readonly encodingAesKey: string }> {
  const [token = '', encodingAesKey = ''] = io.stdin.isTTY
    ? [
        await promptHidden(io, `Token of the message push of ${appid} (it is not shown): `),
        await promptHidden(io, 'EncodingAESKey (it is not shown; empty for none): '),
      ]
    : (await text(io.stdin)).split(/\r?\n/);
  if (!PUSH_TOKEN.test(token))
    throw new CommandError('That is no Token: it must be 3 to 32 letters and digits; nothing was changed.');
  if (!ENCODING_AES_KEY.test(encodingAesKey))
    throw new CommandError(
      'That is no EncodingAESKey: it must be 43 letters and digits; nothing was changed.',
    );
  return { token, encodingAesKey };
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
