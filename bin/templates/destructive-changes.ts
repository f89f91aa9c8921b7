/**
 * What a deployment would destroy of what an earlier template describes. `cdk diff --fail-on destructive` lets a removed index
 * pass, which takes every look-up down, and refuses any function that goes.
 */
import { isDeepStrictEqual } from 'node:util';
import { type CfnTemplate, isStateful, replacingProperties, type TemplateResource } from './service-spec.ts';

interface Index {
  readonly IndexName: string;
}

/** One sentence for each loss; none when nothing that holds data is removed, renamed, replaced or less protected. */
export function destructiveChanges(before: CfnTemplate, next: CfnTemplate): string[] {
  return Object.entries(before.Resources)
    .filter(([, resource]) => isStateful(resource))
    .flatMap(([id, was]) => {
      const is = next.Resources[id];
      if (is === undefined) return [`${id} (${was.Type}) is removed or renamed`];
      if (is.Type !== was.Type) return [`${id} is replaced: it becomes ${is.Type}`];
      return [...replacements(id, was, is), ...lostIndexes(id, was, is), ...lostProtection(id, was, is)];
    });
}

/** One sentence for each property whose change puts another resource in the place of this one. */
export function replacements(id: string, was: TemplateResource, is: TemplateResource): string[] {
  return replacingProperties(was.Type)
    .filter((name) => !isDeepStrictEqual(was.Properties?.[name], is.Properties?.[name]))
    .map((name) => `${id} is replaced: its ${name} changes`);
}

/** A changed index is removed and built anew. */
function lostIndexes(id: string, was: TemplateResource, is: TemplateResource): string[] {
  const kept = indexesOf(is);
  return indexesOf(was)
    .filter((index) => !kept.some((other) => isDeepStrictEqual(other, index)))
    .map(({ IndexName }) => `${id} loses the index ${IndexName}, or it changes`);
}

function lostProtection(id: string, was: TemplateResource, is: TemplateResource): string[] {
  return (['DeletionPolicy', 'UpdateReplacePolicy'] as const)
    .filter((name) => was[name] === 'Retain' && is[name] !== 'Retain')
    .map((name) => `${id} is no longer retained: its ${name} is ${is[name]}`);
}

function indexesOf({ Properties }: TemplateResource): readonly Index[] {
  return (Properties?.GlobalSecondaryIndexes ?? []) as readonly Index[];
}
