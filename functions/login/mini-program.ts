/** Which of the mini-programs served here a login comes from. */
import { invalidRequest } from '../errors/invalid-request.ts';

/** WeChat's own page frame, which no mini-program can change: `https://servicewechat.com/<appid>/<version>/page-frame.html`. */
const REFERER = /^https:\/\/servicewechat\.com\/([0-9A-Za-z]{1,64})\//;

/**
 * The appid that the request names, else the one of its Referer, else the first. Neither proves anything: WeChat takes
 * a code only with the AppSecret of the mini-program that it was issued to.
 *
 * @param named the untrusted `appid` of the body, or `appId`, as `wx.getAccountInfoSync` spells it
 * @throws DomainError `invalid_request` when the request names one that is not served here
 */
export function chooseMiniProgram(
  appids: readonly [string, ...string[]],
  named: unknown,
  referer: string | undefined,
): string {
  if (named !== undefined && named !== null && named !== '') {
    const known = appids.find((appid) => appid === named);
    if (known !== undefined) return known;
    throw invalidRequest('appid不属于本服务', 'appid is not one that this service serves');
  }
  const appid = REFERER.exec(referer ?? '')?.[1];
  return appids.find((candidate) => candidate === appid) ?? appids[0];
}
