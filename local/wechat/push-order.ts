/** The request by which the emulated WeChat is told to push an event. */
import { readMembers } from './control-request.ts';
import {
  type PushOptions,
  type PushResponse,
  type PushTarget,
  push,
  pushFaults,
  pushFormats,
  pushModes,
  userDataEvent,
  userDataEvents,
} from './push.ts';

interface PushOrder {
  readonly event?: string;
  readonly openid?: string;
  /** Of whom it is, in place of the openid. */
  readonly code?: string;
  readonly revokeInfo?: string;
  /** Default: the first mini-program. */
  readonly appid?: string;
  /** Default: `plain`. */
  readonly mode?: string;
  /** Default: `xml`. */
  readonly format?: string;
  readonly fault?: string;
}

/**
 * Pushes what the body orders.
 *
 * @param targets of the mini-programs with message push, the default one first
 * @param openidOf whom a code is of
 * @throws Error naming what is wrong with the body
 */
export async function pushAsOrdered(
  body: Record<string, unknown>,
  targets: readonly PushTarget[],
  openidOf: (appid: string, code: string) => string | undefined,
): Promise<PushResponse> {
  const order: PushOrder = readMembers(body, {
    event: 'string',
    openid: 'string',
    code: 'string',
    revokeInfo: 'string',
    appid: 'string',
    mode: 'string',
    format: 'string',
    fault: 'string',
  });
  const target = targets.find(({ appid }) => appid === (order.appid ?? appid));
  if (target === undefined) throw new Error('no message push is set up for this appid');
  const { revokeInfo, code } = order;
  const openid = order.openid ?? (code === undefined ? undefined : openidOf(target.appid, code));
  const event = oneOf('event', userDataEvents, order.event ?? '');
  const message = userDataEvent(target.appid, event, {
    createTime: Math.floor(Date.now() / 1000),
    ...(openid !== undefined && { openid }),
    ...(revokeInfo !== undefined && { revokeInfo }),
  });
  const options: PushOptions = {
    mode: oneOf('mode', pushModes, order.mode ?? 'plain'),
    format: oneOf('format', pushFormats, order.format ?? 'xml'),
    ...(order.fault !== undefined && { fault: oneOf('fault', pushFaults, order.fault) }),
  };
  return push(target, message, options);
}

function oneOf<T extends string>(name: string, words: readonly T[], given: string): T {
  const word = words.find((each) => each === given);
  if (word === undefined) throw new Error(`${name} must be one of: ${words.join(', ')}`);
  return word;
}
