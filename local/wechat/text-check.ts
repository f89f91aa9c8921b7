/** The rules of `msg_sec_check`, version 2: which texts the emulated WeChat finds risky. */
import { randomBytes } from 'node:crypto';
import type { ErrorResponse, WechatJson } from './error-responses.ts';

/** What WeChat itself offers to try the check with. */
const riskyTexts = ['特3456书yuuo莞6543李zxcz蒜7782法fgnv级', '完2347全dfji试3726测asad感3847知qwez到'];
/** A text with this word is for a person to look at. */
const REVIEW_WORD = '复审';

export function checkText(body: WechatJson, errorResponse: ErrorResponse): WechatJson {
  const { content, openid, scene } = body;
  if (typeof content !== 'string' || content === '') return errorResponse(44002);
  if (typeof openid !== 'string' || openid === '') return errorResponse(40003);
  if (![1, 2, 3, 4].some((known) => known === scene)) return errorResponse(40129);
  const [suggest, label] = riskyTexts.some((risky) => content.includes(risky))
    ? ['risky', 20001]
    : content.includes(REVIEW_WORD)
      ? ['review', 21000]
      : ['pass', 100];
  return {
    errcode: 0,
    errmsg: 'ok',
    result: { suggest, label },
    detail: [{ strategy: 'content_model', errcode: 0, suggest, label, prob: 90 }],
    trace_id: randomBytes(16).toString('hex'),
  };
}
