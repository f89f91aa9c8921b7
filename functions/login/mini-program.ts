/** Which of the mini-programs served here a login comes from. */
import { brokenRule } from '../errors/broken-rule.ts';

/**
 * WeChat's own page frame, which no mini-program can change: `https://servicewechat.com/<appid>/<version>/page-frame.html`.
 * Developer tools without an AppID say `touristappid`.
 */
const REFERER = /^https:\/\/servicewechat\.com\/([0-9A-Za-z]{1,64})\//;

/** As WeChat has issued all AppIDs of mini-programs so far. */
const APPID = /^wx[0-9a-f]{16}$/;

/**
 * The appid that the request names, else the one of its Referer, else the first. Neither proves anything: WeChat takes
 * a code only with the AppSecret of the mini-program that it was issued to.
 *
 * @param named the untrusted `appid` of the body, or `appId`, as `wx.getAccountInfoSync` spells it
 * @throws DomainError `invalid_request` when the request names one that is not served here, or its Referer does: the
 *   code is then not of the first mini-program, and must not be sent with its AppSecret
 */
export function chooseMiniProgram(
  appids: readonly [string, ...string[]],
  named: string | undefined,
  referer: string | undefined,
): string {
  if (named !== undefined && named !== '') {
    const known = appids.find((appid) => appid === named);
    if (known !== undefined) return known;
    throw brokenRule('appid');
  }
  const origin = REFERER.exec(referer ?? '')?.[1] ?? '';
  const known = appids.find((appid) => appid === origin);
  if (known === undefined && APPID.test(origin)) throw brokenRule('referer');
  return known ?? appids[0];
}
