/** The shared service's stack once more, with something changed, for tests of what a change in it breaks. */

import { startLocalStack } from 'local-aws';
import { inject, onTestFinished } from 'vitest';

/** How the stack differs. */
export interface Variant {
  /** Directory of its cloud assembly. Default: that of the shared service. */
  readonly assembly?: string;
  /** AppSecret by appid. Default: the right ones. */
  readonly appSecrets?: Readonly<Record<string, string>>;
}

/** A started variant, with what it has logged and what its roles have been denied so far. */
export interface StartedVariant {
  readonly url: string;
  readonly logs: readonly string[];
  readonly denied: readonly string[];
}

/** Starts a variant that has a database of its own and shares the WeChat; it ends with the test. */
export async function startVariant({
  assembly = inject('assembly'),
  appSecrets = {},
}: Variant): Promise<StartedVariant> {
  const rightSecrets = Object.fromEntries(inject('miniPrograms').map(({ appid, secret }) => [appid, secret]));
  const logs: string[] = [];
  const denied: string[] = [];
  const stack = await startLocalStack({
    assembly: () => assembly,
    secretValue: ({ logicalId }) =>
      logicalId.startsWith('WechatSecrets') ? JSON.stringify({ ...rightSecrets, ...appSecrets }) : undefined,
    maxEnvironments: 1,
    onLog: (_, line) => logs.push(line),
    onDenied: (refusal) => denied.push(refusal),
  });
  onTestFinished(() => stack.close());
  return { url: stack.url, logs, denied };
}
