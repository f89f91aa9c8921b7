/** Whether a login gets through to WeChat: it is tried with a code that cannot be valid, which WeChat must say itself. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { ErrorCode } from '../../functions/contracts/errors.ts';
import { isLoopback } from '../../functions/contracts/secure-url.ts';
import { APP_SECRET_FOLLOWS_MS } from '../../functions/wechat/app-secrets.ts';
import { ERRCODE } from '../../functions/wechat/errcodes.ts';
import { type Check, Problem } from '../command/check.ts';
import type { Deployment } from './deployment.ts';
import type { LoggedFailure, LoginLog } from './login-log.ts';
import { readEnvelope } from './outside-checks.ts';
import { call } from './request.ts';

/** One check for each mini-program, at one call to WeChat each. */
export function wechatChecks(deployment: Deployment, log: LoginLog): Check[] {
  return deployment.appids.map((appid) => ({
    name: appid === undefined ? 'WeChat' : `WeChat for ${appid}`,
    look: () => wechatAccepts(deployment, appid, log),
  }));
}

/** A login with a code that cannot be valid, and the response to it. */
async function tryLogin(url: string, appid: string | undefined) {
  const response = await call(`${url}/member/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // No code of WeChat's looks like this, and no two checks use the same.
    body: JSON.stringify({ code: `doctor-${randomUUID()}`, appid }),
  });
  return { headers: response.headers, ...readEnvelope(response, url) };
}

async function wechatAccepts(
  { url, stage }: Pick<Deployment, 'url' | 'stage'>,
  appid: string | undefined,
  log: LoginLog,
  secretMayBeNew = true,
): Promise<string> {
  const { headers, code, error, data, request_id: requestId } = await tryLogin(url, appid);
  switch (error as ErrorCode | undefined) {
    case undefined:
      throw new Problem(acceptedNonsense(data?.user_id, stage));
    case 'invalid_code':
      return 'answers, and accepts appid and AppSecret';
    case 'wechat_misconfigured': {
      const found = await log.find(requestId);
      if (found !== undefined && found.wechat_errcode === undefined && secretMayBeNew) {
        await setTimeout(APP_SECRET_FOLLOWS_MS);
        return wechatAccepts({ url, stage }, appid, log, false);
      }
      throw new Problem(
        found === undefined
          ? `WeChat is set up wrongly: the AppSecret is missing, wrong or frozen (functions follow a new one within ${APP_SECRET_FOLLOWS_MS / 1000} seconds), the appid is wrong, or the IP whitelist is on; which, says ${log.whereToLook(requestId)}`
          : `${found.reason}: ${remedy(found, stage === undefined && isLoopback(url) ? localWords : wordsFor(appid, stage))}`,
      );
    }
    case 'wechat_unavailable': {
      const found = await log.find(requestId);
      throw new Problem(
        found === undefined
          ? `WeChat does not answer, or not as it should: try again in a minute; if it stays so, see ${log.whereToLook(requestId)}`
          : `${found.reason}: try again in a minute; if it stays so, look at https://developers.weixin.qq.com/ for an outage, and at wechatApiBases and the network of the functions`,
      );
    }
    case 'rate_limited':
      // The quota of a minute comes with a minute, that of a day with an hour.
      throw new Problem(
        Number(headers.get('retry-after')) > 60
          ? "it is not known: the mini-program's calls of this day are used up at WeChat; try again tomorrow, or ask WeChat for more"
          : 'it is not known: too many requests, here or at WeChat; try again in a minute',
      );
    case 'invalid_request':
      throw new Problem(
        `the deployment does not serve ${appid}: add it to appids in lib/config.ts, and deploy`,
      );
    default:
      throw new Problem(
        `a login with a code that cannot be valid answers ${code} ${error} instead of 401 invalid_code; see ${log.whereToLook(requestId)}`,
      );
  }
}

/** The worst that can be found: what stands in WeChat's place lets anybody be anybody. */
function acceptedNonsense(userId: unknown, stage: string | undefined): string {
  const where = stage === undefined ? '--table <table>' : `--stage ${stage}`;
  return (
    'a code that WeChat never gave out logs in, so anybody can log in as anybody: what wechatApiBases leads to is not WeChat; ' +
    'put https://api.weixin.qq.com into wechatApiBases in lib/config.ts, deploy, end all logins with npm run rotate-keys -- --drop=all, ' +
    `and remove the user that this check has made: npm run members -- erase --user-id ${userId} --reason doctor ${where}`
  );
}

/** What a remedy is called where the deployment is. */
interface RemedyWords {
  readonly fillIn: string;
  readonly allowAddress: string;
}

const localWords: RemedyWords = {
  fillIn: 'start the local run again with the right WECHAT_SECRET',
  allowAddress: 'add the address of this machine',
};

const wordsFor = (appid: string | undefined, stage: string | undefined): RemedyWords => ({
  fillIn: `run npm run set-wechat-secret -- ${stage === undefined ? '--secret-arn <WechatSecretsArn>' : `--stage ${stage}`} --appid ${appid ?? '<appid>'}`,
  allowAddress:
    'add the addresses that the functions call from (output EgressAddresses; if there is none, set fixedEgressAddresses in lib/config.ts)',
});

/** What helps against each errcode: https://developers.weixin.qq.com/doc/oplatform/developers/dev/api */
function remedy({ wechat_errcode: errcode }: LoggedFailure, { fillIn, allowAddress }: RemedyWords): string {
  switch (errcode) {
    case undefined:
      return fillIn;
    case ERRCODE.invalidAppid:
      return 'compare appids in lib/config.ts with the AppID in the mini-program console, and deploy';
    case ERRCODE.invalidAppSecret:
      return `copy the AppSecret from the mini-program console, or reset it there, and ${fillIn}`;
    case ERRCODE.ipNotAllowed:
      return `${allowAddress} to the API IP whitelist in the mini-program console, or turn it off there`;
    case ERRCODE.appSecretFrozen:
      return `unfreeze it in the mini-program console, which takes ten minutes to take effect, or reset it there and ${fillIn}`;
    default:
      return 'look for a notice in the mini-program console';
  }
}
