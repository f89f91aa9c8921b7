/** What a run shows of itself once it serves: a login, what to paste, and the page. */
import type { LocalService } from '../../local/service.ts';
import { CommandError } from '../command/errors.ts';
import { demonstrateExample, type Example } from './example.ts';

/** A line that keeps the token of a login in the shell. */
const tokenLine = (url: string, body: string): string =>
  `TOKEN=$(curl -s ${url}/member/login -H 'content-type: application/json' -d '${body}' | sed 's/.*"token":"//;s/".*//')`;

/** The same for every WeChat. */
const linesFor = (
  { url, publicUrl, dynamodbEndpoint, tableNames }: LocalService,
  body: string,
  userId: string,
) => `
Log in yourself, and send the token along:

  ${tokenLine(url, body)}
  curl -s ${url}/member/me -H "authorization: Bearer $TOKEN"

Be the operator:

  npm run doctor -- --url ${publicUrl}
  npm run members -- find --user-id ${userId} --local ${dynamodbEndpoint} --table ${tableNames[0]}
  npm run status
`;

const pageLine = (url: string): string =>
  `The page shows all of this, with what travels and what is logged: open ${url}/ in a browser.`;

/** Logs a demo user in through the gateway and opens protected routes with the token. */
async function demonstrate(service: LocalService, example: Example | undefined): Promise<string> {
  const { url } = service;
  const body = JSON.stringify({ code: 'demo-xiaoming', nickName: '小明' });
  const login = await fetch(`${url}/member/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const { data, msg } = (await login.json()) as { data?: { user_id: string; token: string }; msg: string };
  if (data === undefined) throw new CommandError(`The demo login failed: ${msg}`);
  const me = await fetch(`${url}/member/me`, { headers: { authorization: `Bearer ${data.token}` } });
  const shown = `
demo-xiaoming logged in as user ${data.user_id}
with a token of ${data.token.length} characters, which opens GET /member/me: ${await me.text()}
${linesFor(service, body, data.user_id)}  npm run wechat -- fault busy --times 3
`;
  if (example === undefined) return shown;
  return `${shown}\n${await demonstrateExample(example, tokenLine(url, body), data.token)}`;
}

/** The lines to print. With another WeChat only a mini-program can log in, so nothing of the simulator's is among them. */
export async function introductionOf(
  service: LocalService,
  example: Example | undefined,
  wechatApiBases: readonly string[] | undefined,
): Promise<string> {
  const { url, simulatorUrl, miniPrograms } = service;
  if (simulatorUrl !== undefined)
    return `${await demonstrate(service, example)}
${pageLine(url)}
The WeChat simulator is at ${simulatorUrl}; any code demo-<name> logs in.`;
  return `
Logins of ${miniPrograms[0].appid} go to ${wechatApiBases?.join(', ')}
${linesFor(service, '{"code":"<code of wx.login>"}', '<user_id of a login>')}
${pageLine(url)}`;
}
