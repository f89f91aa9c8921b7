/** Checks and evaluates what a Lambda authorizer returns. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html */

import { matches } from '../../iam/wildcard.ts';
import { isJsonObject, type Json, type JsonObject, list } from '../../json.ts';

/** A checked authorizer response. */
interface AuthorizerResponse {
  readonly principalId: string;
  readonly statements: readonly Statement[];
  /** As the function returned it; null when it returned none. */
  readonly context: JsonObject | null;
}

/** A response with a context that all kinds of API accept. */
export interface FlatResponse extends AuthorizerResponse {
  /** All values as text, which is how the back end sees them. */
  readonly context: Readonly<Record<string, string>>;
}

interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** What a policy decides about one method; the two kinds of denial are worded differently. */
export type Decision = 'allow' | 'explicit-deny' | 'implicit-deny';

/** Longest resource ARN API Gateway accepts in a policy, characters. */
const MAX_RESOURCE_LENGTH = 512;

/** Checks a response; undefined when API Gateway would not accept it. */
export function parseAuthorizerResponse(response: Json): AuthorizerResponse | undefined {
  if (!isJsonObject(response)) return undefined;
  const { principalId, policyDocument, context = null } = response;
  if (typeof principalId !== 'string' || principalId === '' || !isJsonObject(policyDocument))
    return undefined;
  if (context !== null && !isJsonObject(context)) return undefined;
  const statements = list(policyDocument.Statement ?? null).map(parseStatement);
  if (!statements.every((statement) => statement !== undefined)) return undefined;
  return { principalId, statements, context };
}

/** Checks a response whose context must be flat: no objects, no lists, no null. */
export function parseFlatResponse(response: Json): FlatResponse | undefined {
  const parsed = parseAuthorizerResponse(response);
  if (parsed === undefined || (isJsonObject(response) && response.context === null)) return undefined;
  const values = Object.entries(parsed.context ?? {});
  if (values.some(([, value]) => !['string', 'number', 'boolean'].includes(typeof value))) return undefined;
  return { ...parsed, context: Object.fromEntries(values.map(([name, value]) => [name, String(value)])) };
}

function parseStatement(statement: Json): Statement | undefined {
  if (!isJsonObject(statement)) return undefined;
  const { Effect: effect, Action, Resource, Sid: _, ...others } = statement as JsonObject & { Sid?: Json };
  if (effect !== 'Allow' && effect !== 'Deny') return undefined;
  // Conditions and the negated forms are valid in AWS; ignoring them here would grant too much.
  if (Object.keys(others).length > 0) return undefined;
  const actions = texts(Action);
  const resources = texts(Resource);
  if (actions === undefined || resources === undefined) return undefined;
  if (resources.some((resource) => resource.length > MAX_RESOURCE_LENGTH)) return undefined;
  return { effect, actions, resources };
}

function texts(value: Json | undefined): readonly string[] | undefined {
  const all = list(value);
  return all.length > 0 && all.every((item) => typeof item === 'string') ? all : undefined;
}

/** Evaluates a policy for one method ARN: a deny wins, and what no statement allows is denied. */
export function evaluatePolicy(response: AuthorizerResponse, methodArn: string): Decision {
  const effects = response.statements
    .filter(
      ({ actions, resources }) =>
        actions.some((action) => matches(action.toLowerCase(), 'execute-api:invoke')) &&
        resources.some((resource) => matches(resource, methodArn)),
    )
    .map(({ effect }) => effect);
  if (effects.includes('Deny')) return 'explicit-deny';
  return effects.includes('Allow') ? 'allow' : 'implicit-deny';
}
