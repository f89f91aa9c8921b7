/** Reads out of a template what every role may do, and which function acts as which role. */

import { unsupported } from '../errors.ts';
import { type Json, type JsonObject, list, objectOrEmpty, objects } from '../json.ts';
import type { ResolvedResource, Resolver } from '../template/intrinsics.ts';

/** A role of the template with all that its policies say. */
export interface Role {
  readonly logicalId: string;
  /** Its name in the account. */
  readonly name: string;
  /** The statements of all its policies, one action on one resource each where they allow something. */
  readonly statements: readonly JsonObject[];
}

/** AWS's own policy of the roles that CDK makes for functions: it allows writing logs, which is not checked here. */
const LOGS_ONLY = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';

/**
 * The roles by access key id: a function signs with its logical id, and API Gateway with the logical id of the role it
 * acts as. A function whose role is not in the template has one that allows nothing. The role of a service that is not emulated allows nothing either, whatever its policies say.
 *
 * @throws LocalRunError naming a policy that stands outside of the template, or a permissions boundary
 */
export function readRoles(resolver: Resolver): ReadonlyMap<string, Role> {
  const policies = resolver.resourcesOf('AWS::IAM::Policy');
  const assumed = assumedRoles(resolver);
  const roles = resolver.resourcesOf('AWS::IAM::Role').map((role): Role => {
    const { ref, attributes } = resolver.names(role.logicalId);
    return assumed.has(attributes.Arn)
      ? readRole(resolver, role, policies)
      : { logicalId: role.logicalId, name: String(ref), statements: [] };
  });
  const byArn = new Map(roles.map((role) => [resolver.names(role.logicalId).attributes.Arn, role]));
  const functions = resolver
    .resourcesOf('AWS::Lambda::Function')
    .map(({ logicalId, properties: { Role: arn = '' } }): [string, Role] => [
      logicalId,
      byArn.get(arn) ?? { logicalId, name: String(arn).replace(/^.*\//, ''), statements: [] },
    ]);
  return new Map([...roles.map((role): [string, Role] => [role.logicalId, role]), ...functions]);
}

/** ARNs of the roles that something here acts as: functions, and methods of a REST API. */
function assumedRoles(resolver: Resolver): ReadonlySet<Json | undefined> {
  const ofFunctions = resolver.resourcesOf('AWS::Lambda::Function').map(({ properties }) => properties.Role);
  const ofMethods = resolver
    .resourcesOf('AWS::ApiGateway::Method')
    .map(({ properties: { Integration } }) => objectOrEmpty(Integration).Credentials);
  return new Set([...ofFunctions, ...ofMethods]);
}

function readRole(
  resolver: Resolver,
  { logicalId, properties }: ResolvedResource,
  policies: readonly ResolvedResource[],
): Role {
  if (properties.PermissionsBoundary !== undefined)
    throw unsupported(`${logicalId}.PermissionsBoundary`, 'a permissions boundary');
  const name = String(resolver.names(logicalId).ref);
  for (const arn of list(properties.ManagedPolicyArns))
    if (arn !== LOGS_ONLY)
      throw unsupported(`${logicalId}.ManagedPolicyArns`, `${arn}, which is not in the template,`);
  const attached = policies.filter((policy) => list(policy.properties.Roles).includes(name));
  const statements = [...objects(properties.Policies), ...attached.map((policy) => policy.properties)]
    .flatMap(({ PolicyDocument }) => objects(objectOrEmpty(PolicyDocument).Statement))
    .flatMap(singlePermissions);
  return { logicalId, name, statements };
}

/** CDK merges statements; an unused permission shows only when each stands alone. */
function singlePermissions(statement: JsonObject): readonly JsonObject[] {
  const { Action, Resource } = statement;
  if (statement.Effect !== 'Allow' || Action === undefined || Resource === undefined) return [statement];
  return list(Action).flatMap((action) =>
    list(Resource).map((resource) => ({ ...statement, Action: action, Resource: resource })),
  );
}
