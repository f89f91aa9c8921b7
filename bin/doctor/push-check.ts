/** Whether WeChat can verify the URL of the message push: tried from outside, signed as WeChat signs. */
import { randomUUID } from 'node:crypto';
import { signatureOf } from '../../functions/events/signature.ts';
import { type Check, Problem } from '../command/check.ts';
import type { Deployment } from './deployment.ts';
import { call } from './request.ts';

/** The Token of a mini-program's message push; undefined where none is filled in. */
export type PushTokenOf = (appid: string) => Promise<string | undefined>;

/** One check for each mini-program that is named. */
export function pushChecks({ url, appids }: Deployment, pushTokenOf: PushTokenOf): Check[] {
  return appids
    .filter((appid) => appid !== undefined)
    .map((appid) => ({
      name: `message push of ${appid}`,
      look: () => urlIsVerified(`${url}/wechat/events/${appid}`, appid, pushTokenOf),
    }));
}

async function urlIsVerified(url: string, appid: string, pushTokenOf: PushTokenOf): Promise<string> {
  const token = await pushTokenOf(appid);
  if (token === undefined) return 'not set up: nothing is heard of what users take back at WeChat';
  const timestamp = String(Math.floor(Date.now() / 1000));
  const nonce = randomUUID();
  const echostr = randomUUID();
  const query = { signature: signatureOf(token, timestamp, nonce), timestamp, nonce, echostr };
  const { status, text } = await call(`${url}?${new URLSearchParams(query)}`);
  if (status === 200 && text === echostr) return `${url} is verified`;
  throw new Problem(
    status === 401
      ? `${url} refuses a signed request: functions take a new Token up within five minutes; if it stays so, compare the clock of this machine`
      : `${url} answers ${status} instead of what was sent: look at the log of the account function, and at what changes queries or bodies on the way`,
  );
}
