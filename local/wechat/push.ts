/**
 * WeChat's side of the message push: verifies a URL and sends events in every mode and format, with the habits and
 * faults that are met in the field. Shares nothing with the code that receives them.
 * https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html
 */
import { createCipheriv, createHash, randomBytes, randomInt } from 'node:crypto';

/** Where a mini-program's messages go, and what was filled in for it at WeChat. */
export interface PushTarget {
  /** The whole address, such as `https://api.example.com/wechat/events/wx0123456789abcdef`. */
  readonly url: string;
  readonly appid: string;
  readonly token: string;
  /** 43 characters. */
  readonly encodingAesKey: string;
}

export const userDataEvents = [
  'user_info_modified',
  'user_authorization_revoke',
  'user_authorization_cancellation',
] as const;

export const pushModes = ['plain', 'compatible', 'safe'] as const;
export const pushFormats = ['xml', 'json'] as const;

export const pushFaults = [
  'wrong_signature',
  'no_signature',
  /** Signed an hour ago. */
  'old',
  /** Encrypted for another mini-program. */
  'other_appid',
  /** Encrypted with another key. */
  'other_key',
  /** `Content-Type` names the other format, as WeChat's does for JSON. */
  'content_type',
  /** Names with a space before them and, in JSON, a comma after the last member, as in WeChat's samples. */
  'sample',
  /** `encrypt_type=raw` beside a `msg_signature`. */
  'encrypt_type_raw',
] as const;

/** A message, member by member in WeChat's order. */
export type PushMessage = Readonly<Record<string, string | number>>;

export interface PushOptions {
  /** Default: `plain`, as at WeChat. */
  readonly mode?: (typeof pushModes)[number];
  /** Default: `xml`, as at WeChat. */
  readonly format?: (typeof pushFormats)[number];
  readonly fault?: (typeof pushFaults)[number];
  /** Unix time in milliseconds. Default: now. */
  readonly now?: number;
  /** Default: a random number. */
  readonly nonce?: string;
  /** The 16 characters before an encrypted message. Default: random ones. */
  readonly random?: string;
}

/** A message as it goes over the wire. */
export interface PushRequest {
  readonly url: string;
  readonly contentType: string;
  readonly body: string;
}

/** What came back of the last try. */
export interface PushResponse {
  readonly status: number;
  readonly body: string;
  readonly tries: number;
}

const TRIES = 3;
const TRY_MS = 5_000;

/** Events about a user's data. Pushes of `user_info_modified` without an OpenID have been seen. */
export function userDataEvent(
  appid: string,
  event: (typeof userDataEvents)[number],
  about: { readonly openid?: string; readonly revokeInfo?: string; readonly createTime: number },
): PushMessage {
  const { openid, revokeInfo, createTime } = about;
  return {
    ToUserName: 'gh_870882ca4b1',
    FromUserName: 'oaKk346BaWE-eIn4oSRWbaM9vR7s',
    CreateTime: createTime,
    MsgType: 'event',
    Event: event,
    ...(openid !== undefined && { OpenID: openid }),
    AppID: appid,
    ...(revokeInfo !== undefined && { RevokeInfo: revokeInfo }),
  };
}

/** The address with the signed `echostr` by which WeChat verifies a URL, in every mode. */
export function verificationUrl(target: PushTarget, echostr: string, options: PushOptions = {}): string {
  return `${target.url}?${new URLSearchParams({ ...signedQuery(target, options), echostr })}`;
}

/** A message in one of the modes. */
export function pushRequest(
  target: PushTarget,
  message: PushMessage,
  options: PushOptions = {},
): PushRequest {
  const { mode = 'plain', format = 'xml', fault } = options;
  const query = signedQuery(target, options);
  const told = format === 'xml' ? toXml : toJson;
  const described = fault === 'content_type' ? (format === 'xml' ? 'json' : 'xml') : format;
  const contentType = described === 'xml' ? 'text/xml' : 'application/json';
  const sample = fault === 'sample';
  if (mode === 'plain') {
    return { url: `${target.url}?${new URLSearchParams(query)}`, contentType, body: told(message, sample) };
  }
  const Encrypt = encrypt(told(message, sample), target, options);
  const msgSignature = sha1OfSorted([target.token, query.timestamp, query.nonce, Encrypt]);
  const encryption = {
    openid: String(message.FromUserName ?? ''),
    encrypt_type: fault === 'encrypt_type_raw' ? 'raw' : 'aes',
    ...(fault !== 'no_signature' && {
      msg_signature: fault === 'wrong_signature' ? spoilt(msgSignature) : msgSignature,
    }),
  };
  const outside = mode === 'compatible' ? message : { ToUserName: message.ToUserName ?? '' };
  return {
    url: `${target.url}?${new URLSearchParams({ ...query, ...encryption })}`,
    contentType,
    body: told({ ...outside, Encrypt }, sample),
  };
}

/** Sends a message as WeChat does: up to three times until it is confirmed. */
export async function push(
  target: PushTarget,
  message: PushMessage,
  options?: PushOptions,
): Promise<PushResponse> {
  const { url, contentType, body } = pushRequest(target, message, options);
  let last: PushResponse = { status: 0, body: '', tries: 0 };
  while (last.tries < TRIES) {
    const tries = last.tries + 1;
    const headers = { 'content-type': contentType };
    last = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(TRY_MS) }).then(
      async (response) => ({ status: response.status, body: await response.text(), tries }),
      () => ({ status: 0, body: '', tries }),
    );
    if (last.status === 200 && (last.body === 'success' || last.body === '')) break;
  }
  return last;
}

/** The query of every request; in encrypted modes the plain signature goes along. */
function signedQuery(target: PushTarget, { now = Date.now(), nonce, fault }: PushOptions) {
  const timestamp = String(Math.floor(now / 1000) - (fault === 'old' ? 3600 : 0));
  const number = nonce ?? String(randomInt(1_000_000_000, 2_000_000_000));
  const right = sha1OfSorted([target.token, timestamp, number]);
  return {
    ...(fault !== 'no_signature' && { signature: fault === 'wrong_signature' ? spoilt(right) : right }),
    timestamp,
    nonce: number,
  };
}

function sha1OfSorted(parts: string[]): string {
  const hash = createHash('sha1');
  for (const part of parts.sort()) hash.update(part);
  return hash.digest('hex');
}

function spoilt(signature: string): string {
  return (signature.startsWith('0') ? '1' : '0') + signature.slice(1);
}

function encrypt(
  text: string,
  { appid, encodingAesKey }: PushTarget,
  { fault, random }: PushOptions,
): string {
  const key = fault === 'other_key' ? randomBytes(32) : Buffer.from(`${encodingAesKey}=`, 'base64');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  const content = [
    Buffer.from(random ?? randomBytes(8).toString('hex')),
    length,
    Buffer.from(text),
    Buffer.from(fault === 'other_appid' ? `${appid}x` : appid),
  ];
  const rest = 32 - (Buffer.concat(content).length % 32);
  const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16));
  cipher.setAutoPadding(false);
  return cipher.update(Buffer.concat([...content, Buffer.alloc(rest, rest)])).toString('base64');
}

function toJson(message: PushMessage, sample: boolean): string {
  if (!sample) return JSON.stringify(message);
  const members = Object.entries(message).map(([name, value]) => `" ${name}": ${JSON.stringify(value)},`);
  return `{\n${members.join('\n')}\n}`;
}

function toXml(message: PushMessage, sample: boolean): string {
  const elements = Object.entries(message).map(([name, value]) => {
    const text = typeof value === 'number' ? value : `<![CDATA[${value}]]>`;
    return `<${sample ? ' ' : ''}${name}>${text}</${name}>`;
  });
  return `<xml>\n${elements.join('\n')}\n</xml>`;
}
