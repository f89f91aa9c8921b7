/**
 * IAM: what a function or API Gateway does at an AWS service is checked against the synthesized policies of its role,
 * and of the KMS key if there is one, so that a missing permission shows here and not in the cloud.
 */
import { runSimulation } from '@cloud-copilot/iam-simulate';
import { ACCOUNT_ID } from '../template/account.ts';
import type { Resolver } from '../template/intrinsics.ts';
import { type KeyPolicies, readKeyPolicies } from './key-policies.ts';
import { type Role, readRoles } from './role-policies.ts';

/** One permission that a call needs. */
export interface NeededPermission {
  /** For example `dynamodb:GetItem`. */
  readonly action: string;
  /** ARN, or `*`. */
  readonly resource: string;
  /** Condition keys with what the call says about them. */
  readonly context?: Readonly<Record<string, readonly string[]>>;
}

/** What roles may do, and what they have done so far. */
export interface AccessReport {
  /** Every permission of the roles that something here acts as: `<role>: <action> on <resource>`. */
  readonly granted: readonly string[];
  /** Those that allowed a call. */
  readonly used: readonly string[];
  /** AWS's words about each call that was denied. */
  readonly denied: readonly string[];
}

/** Decides about calls. */
export interface AccessControl {
  /**
   * Undefined when whoever has this key id may make the call, otherwise AWS's words about the first permission that is
   * missing. A key id that belongs to nothing in the template is an administrator's: operators and tests.
   */
  refusal(accessKeyId: string | undefined, needed: readonly NeededPermission[]): Promise<string | undefined>;
  /** Whether calls with this key id are checked at all. */
  isChecked(accessKeyId: string | undefined): boolean;
  report(): AccessReport;
}

interface Decision {
  readonly refusal: string | undefined;
  /** Indexes of the role's statements that allowed it. */
  readonly by: readonly number[];
  /** Whether another value of a condition key could change it. */
  readonly conditional: boolean;
}

/** Decisions about single items kept at once; a simulation takes about a millisecond. */
const MAX_DECISIONS = 10_000;

/** Creates the access control of a template. @throws LocalRunError naming a policy it cannot read */
export function createAccessControl(
  resolver: Resolver,
  onDenied: (refusal: string) => void = () => {},
): AccessControl {
  const roles = readRoles(resolver);
  const keyPolicies = readKeyPolicies(resolver);
  const decisions = new Map<string, Decision>();
  const used = new Set<string>();
  const denied: string[] = [];

  const decide = async (session: string, role: Role, needed: NeededPermission): Promise<Decision> => {
    const call = `${session} ${needed.action} ${needed.resource}`;
    const callWithContext = `${call} ${JSON.stringify(needed.context ?? {})}`;
    const held = decisions.get(call) ?? decisions.get(callWithContext);
    if (held !== undefined) return held;
    const decision = await simulate(session, role, needed, keyPolicies);
    if (decisions.size >= MAX_DECISIONS) decisions.clear();
    decisions.set(decision.conditional ? callWithContext : call, decision);
    return decision;
  };

  return {
    isChecked: (accessKeyId) => accessKeyId !== undefined && roles.has(accessKeyId),
    async refusal(accessKeyId, needed) {
      const role = accessKeyId === undefined ? undefined : roles.get(accessKeyId);
      if (accessKeyId === undefined || role === undefined) return undefined;
      for (const permission of needed) {
        const { refusal, by } = await decide(accessKeyId, role, permission);
        for (const index of by) used.add(grantsOf(role)[index] ?? '');
        if (refusal === undefined) continue;
        denied.push(refusal);
        onDenied(refusal);
        return refusal;
      }
      return undefined;
    },
    report: () => ({
      granted: [
        ...new Set(
          [...roles.values()].flatMap((role) =>
            grantsOf(role).filter((_, index) => role.statements[index]?.Effect === 'Allow'),
          ),
        ),
      ],
      used: [...used],
      denied: [...denied],
    }),
  };
}

async function simulate(
  session: string,
  role: Role,
  needed: NeededPermission,
  keyPolicies: KeyPolicies,
): Promise<Decision> {
  const { action, resource, context = {} } = needed;
  const principal = `arn:aws:sts::${ACCOUNT_ID}:assumed-role/${role.name}/${session}`;
  const result = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: ACCOUNT_ID },
        contextVariables: Object.fromEntries(
          Object.entries(context).map(([key, values]) => [key, [...values]]),
        ),
      },
      identityPolicies: [
        {
          name: role.logicalId,
          policy: {
            Version: '2012-10-17',
            Statement: role.statements.map((statement, index) => ({ ...statement, Sid: `P${index}` })),
          },
        },
      ],
      resourcePolicy: keyPolicies.get(resource),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  const because = `User: ${principal} is not authorized to perform: ${action} on resource: ${resource}`;
  if (result.resultType !== 'single') {
    const reason = result.resultType === 'error' ? result.errors.message : 'wildcard';
    return { refusal: `${because} (the policy simulator says: ${reason})`, by: [], conditional: false };
  }
  const { identityAnalysis, resourceAnalysis } = result.result.analysis;
  const conditional = [identityAnalysis, resourceAnalysis]
    .flatMap((analysis) => [
      ...(analysis?.allowStatements ?? []),
      ...(analysis?.denyStatements ?? []),
      ...(analysis?.unmatchedStatements ?? []),
    ])
    .some(
      ({ actionMatch, resourceMatch, statement }) =>
        actionMatch && resourceMatch && statement.conditions().length > 0,
    );
  if (result.overallResult === 'Allowed') {
    const by = (identityAnalysis?.allowStatements ?? []).map(({ explain }) =>
      Number(explain.identifier.slice(1)),
    );
    return { refusal: undefined, by, conditional };
  }
  const byIdentity = identityAnalysis?.result === result.overallResult;
  const why =
    result.overallResult === 'ExplicitlyDenied'
      ? `with an explicit deny in ${byIdentity ? 'an identity-based' : 'a resource-based'} policy`
      : `because no ${byIdentity ? 'identity-based' : 'resource-based'} policy allows the ${action} action`;
  return { refusal: `${because} ${why}`, by: [], conditional };
}

/** What each statement of a role allows, as a sentence. */
function grantsOf(role: Role): readonly string[] {
  return role.statements.map(({ Action, Resource, Condition }) => {
    const where = Condition === undefined ? '' : ` where ${JSON.stringify(Condition)}`;
    return `${role.logicalId}: ${Action} on ${Resource}${where}`;
  });
}

/** The key id that a request is signed with. */
export function accessKeyIdOf(authorization: string | undefined): string | undefined {
  return /Credential=([^/,\s]+)\//.exec(authorization ?? '')?.[1];
}
