/** What a deployment would do to what is deployed. */
import { isDeepStrictEqual } from 'node:util';
import { isLocal, type StageSettings } from '../../lib/settings.ts';
import { type Check, Problem, Remark } from '../command/check.ts';
import { destructiveChanges, replacements } from '../templates/destructive-changes.ts';
import type { CfnTemplate, TemplateResource } from '../templates/service-spec.ts';
import type { Deployed } from './deployed.ts';

export function changeChecks(
  settings: StageSettings,
  next: CfnTemplate,
  deployed: Deployed | undefined,
): Check[] {
  if (deployed === undefined) {
    const count = Object.keys(next.Resources).length;
    return [{ name: 'changes', look: async () => `nothing is deployed; this makes ${count} resources` }];
  }
  return [
    { name: 'last deployment', look: async () => canBeUpdated(deployed) },
    { name: 'data', look: async () => losesNothing(deployed.template, next) },
    { name: 'issuer', look: async () => keepsIssuer(settings, deployed) },
    { name: 'changes', look: async () => changes(deployed.template, next) },
  ];
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html */
function canBeUpdated({ status }: Deployed): string {
  if (status === 'ROLLBACK_COMPLETE' || status === 'ROLLBACK_FAILED')
    throw new Problem(`it was the first, and failed (${status}): delete the stack, what it retained too`);
  if (status.endsWith('_IN_PROGRESS')) throw new Problem(`it has not ended (${status}): wait for it`);
  if (status.endsWith('_FAILED'))
    throw new Problem(`it failed (${status}): repair it in the CloudFormation console`);
  return status;
}

function losesNothing(before: CfnTemplate, next: CfnTemplate): string {
  const losses = destructiveChanges(before, next);
  if (losses.length > 0) throw new Problem(losses.join('; '));
  return 'nothing that holds any is removed, renamed, replaced or less protected';
}

/** A verifier compares the issuer exactly. */
function keepsIssuer({ customDomain, publicUrl }: StageSettings, { outputs }: Deployed): string {
  const before = outputs.Issuer ?? '';
  const next = customDomain === undefined ? publicUrl : `https://${customDomain.name}`;
  const stays = next === undefined ? /\.execute-api\./.test(before) : next === before;
  if (stays || isLocal(next)) return `stays ${before}`;
  throw new Remark(
    `it changes from ${before} to ${next ?? "API Gateway's own address"}: every token ends, every verifier must be told, and every user logs in again`,
  );
}

/** What CDK names anew with each version, so that it is always one more and one less. */
const perVersion = /^AWS::(ApiGateway::Deployment|Lambda::Version|CDK::Metadata)$/;

function changes(before: CfnTemplate, next: CfnTemplate): string {
  const was = lasting(before);
  const is = lasting(next);
  const added = [...is.keys()].filter((id) => !was.has(id));
  const removed = [...was].filter(([id]) => !is.has(id));
  const kept = [...was].flatMap(([id, resource]) => {
    const other = is.get(id);
    return other === undefined ? [] : [[id, resource, other] as const];
  });
  const changed = kept.filter(([, one, other]) => !isDeepStrictEqual(one, other));
  const replaced = kept.flatMap(([id, one, other]) => replacements(id, one, other));
  const counts = `adds ${added.length}, changes ${changed.length}, removes ${removed.length} resources, and the functions' code if that has changed`;
  const named = [...removed.map(([id, { Type }]) => `${id} (${Type}) is removed`), ...replaced];
  if (named.length === 0) return counts;
  throw new Remark(`${counts}: ${named.join('; ')}`);
}

function lasting({ Resources }: CfnTemplate): ReadonlyMap<string, TemplateResource> {
  return new Map(Object.entries(Resources).filter(([, { Type }]) => !perVersion.test(Type)));
}
