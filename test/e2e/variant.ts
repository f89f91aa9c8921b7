/** The shared service's stack once more, with something changed, for tests of what a change in it does. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalStack, startLocalStack } from 'local-aws';
import { expect, inject, onTestFinished } from 'vitest';
import { recordTo } from './contract/recorded-responses.ts';

/** How the stack differs. */
export interface Variant {
  /** Directory of its cloud assembly. Default: that of the shared service. */
  readonly assembly?: string;
  /** AppSecret by appid. Default: the right ones. */
  readonly appSecrets?: Readonly<Record<string, string>>;
  /** Base URL of its database. Default: one of its own. */
  readonly dynamodbEndpoint?: string;
}

/** A started variant, with what it has logged and what its roles have been denied so far. */
export interface StartedVariant {
  readonly url: string;
  readonly stack: LocalStack;
  readonly logs: readonly string[];
  readonly denied: string[];
}

/** A resource of the template, as far as a variant may change it. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** A copy of the shared service's assembly with some resources changed; it is removed with the test. */
export function changedAssembly(change: (resource: Resource, logicalId: string) => void): string {
  const assembly = mkdtempSync(join(tmpdir(), 'wechat-login-variant-'));
  onTestFinished(() => rmSync(assembly, { recursive: true }));
  cpSync(inject('assembly'), assembly, { recursive: true });
  const file = join(assembly, 'WechatLogin-dev.template.json');
  const template = JSON.parse(readFileSync(file, 'utf8')) as { Resources: Record<string, Resource> };
  for (const [logicalId, resource] of Object.entries(template.Resources)) change(resource, logicalId);
  writeFileSync(file, JSON.stringify(template));
  return assembly;
}

/** Starts a variant that has a database of its own and shares the WeChat; it ends with the test. */
export async function startVariant({
  assembly = inject('assembly'),
  appSecrets = {},
  dynamodbEndpoint,
}: Variant): Promise<StartedVariant> {
  const rightSecrets = Object.fromEntries(inject('miniPrograms').map(({ appid, secret }) => [appid, secret]));
  const logs: string[] = [];
  const denied: string[] = [];
  const stack = await startLocalStack({
    assembly: () => assembly,
    dynamodbEndpoint,
    secretValue: ({ logicalId }) =>
      logicalId.startsWith('WechatSecrets') ? JSON.stringify({ ...rightSecrets, ...appSecrets }) : undefined,
    maxEnvironments: 1,
    onRequest: recordTo(inject('responseFile')),
    onLog: (_, line) => logs.push(line),
    onDenied: (refusal) => denied.push(refusal),
  });
  onTestFinished(() => stack.close());
  return { url: stack.url, stack, logs, denied };
}

/** The same stack, without one action in the policy of some roles; by what their logical ids begin with. */
export async function startWithout(missing: Readonly<Record<string, string>>): Promise<StartedVariant> {
  const removed: string[] = [];
  const assembly = changedAssembly(({ Type, Properties }) => {
    const { Roles, PolicyDocument } = Properties as {
      Roles: { Ref: string }[];
      PolicyDocument: { Statement: readonly { readonly Action: string | readonly string[] }[] };
    };
    if (Type !== 'AWS::IAM::Policy') return;
    const role = Object.keys(missing).find((prefix) => Roles[0]?.Ref.startsWith(prefix));
    if (role === undefined) return;
    PolicyDocument.Statement = PolicyDocument.Statement.flatMap((statement) => {
      const actions = [statement.Action].flat();
      const kept = actions.filter((action) => action !== missing[role]);
      if (kept.length < actions.length) removed.push(role);
      return kept.length === 0 ? [] : [{ ...statement, Action: kept }];
    });
  });
  expect(removed.toSorted()).toEqual(Object.keys(missing).toSorted());
  return startVariant({ assembly });
}
