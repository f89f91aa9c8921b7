/** Which API may invoke which function, by the template's `AWS::Lambda::Permission` resources. */

import { matches } from '../iam/wildcard.ts';
import type { Json } from '../json.ts';
import { ACCOUNT_ID, REGION } from '../template/account.ts';
import type { Resolver } from '../template/intrinsics.ts';
import { refuseUnknown } from '../template/properties.ts';

/** A statement that lets API Gateway invoke a function. */
export interface ApiPermission {
  /** With its qualifier, when the permission has one: an alias has a policy of its own. */
  readonly functionArn: string;
  /** Pattern of the method, route or authorizer; undefined admits all. */
  readonly sourceArn: string | undefined;
  readonly sourceAccount: string | undefined;
}

const known = { emulated: 'Action FunctionName Principal SourceAccount SourceArn' };

/**
 * The template's permissions for API Gateway; those for other services are left out.
 *
 * @throws LocalRunError naming a property that is not known
 */
export function readApiPermissions(resolver: Resolver): readonly ApiPermission[] {
  return resolver
    .resourcesOf('AWS::Lambda::Permission')
    .filter(
      ({ properties: { Principal, Action } }) =>
        Principal === 'apigateway.amazonaws.com' &&
        ['lambda:InvokeFunction', 'lambda:*'].includes(String(Action)),
    )
    .map(({ logicalId, properties }) => {
      refuseUnknown(logicalId, properties, known);
      return {
        functionArn: toFunctionArn(String(properties.FunctionName)),
        sourceArn: optionalText(properties.SourceArn),
        sourceAccount: optionalText(properties.SourceAccount),
      };
    });
}

function optionalText(value: Json | undefined): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** A function may be named by its ARN, by `<account>:function:<name>` or by its name, each with a qualifier or not. */
function toFunctionArn(name: string): string {
  if (name.startsWith('arn:')) return name;
  const partial = /^\d{12}:function:/.test(name) ? name : `${ACCOUNT_ID}:function:${name}`;
  return `arn:aws:lambda:${REGION}:${partial}`;
}

/** Whether one of the permissions lets a part of an API invoke a function. */
export function mayInvoke(
  permissions: readonly ApiPermission[],
  functionArn: string,
  sourceArn: string,
): boolean {
  return permissions.some(
    (permission) =>
      permission.functionArn === functionArn &&
      (permission.sourceAccount ?? ACCOUNT_ID) === ACCOUNT_ID &&
      (permission.sourceArn === undefined || arnLike(permission.sourceArn, sourceArn)),
  );
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN */
function arnLike(pattern: string, arn: string): boolean {
  const [patterns, parts] = [arnParts(pattern), arnParts(arn)];
  return patterns.length === 6 && patterns.every((part, at) => matches(part, parts[at] ?? ''));
}

/** The six parts of an ARN: a wildcard matches within one of them. Only the last may hold colons. */
function arnParts(arn: string): readonly string[] {
  const parts = arn.split(':');
  return parts.length < 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}
