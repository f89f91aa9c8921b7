import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { destructiveChanges } from '../../bin/templates/destructive-changes.ts';
import { type CfnTemplate, isStateful, type TemplateResource } from '../../bin/templates/service-spec.ts';
import { stageNames } from '../fixtures/stages.ts';
import { everything, nothing, synthesize } from './synthesize.ts';
import { mistakesIn } from './template-mistakes.ts';

const recordedTemplate = (stage: string): CfnTemplate =>
  JSON.parse(readFileSync(new URL(`./__snapshots__/${stage}.template.json`, import.meta.url), 'utf8'));

/** The template of production with another resource, or none, in the place of one. */
function changed(
  id: string,
  change: (resource: TemplateResource) => TemplateResource | undefined,
): CfnTemplate {
  const { Resources } = recordedTemplate('prod');
  const { [id]: resource = { Type: '' }, ...others } = Resources;
  const other = change(resource);
  return { Resources: other === undefined ? others : { ...others, [id]: other } };
}

const TABLE = 'UsersTable6D91A5EE';
const withProperties =
  (properties: object) =>
  (resource: TemplateResource): TemplateResource => ({
    ...resource,
    Properties: { ...resource.Properties, ...properties },
  });

const templates: [string, () => CfnTemplate][] = [
  ...stageNames.map((stage): [string, () => CfnTemplate] => [
    `stage ${stage}`,
    () => recordedTemplate(stage),
  ]),
  ['prod with every part', () => synthesize('prod', { settings: everything }).toJSON() as CfnTemplate],
  [
    'prod without what can be left out',
    () => synthesize('prod', { settings: nothing }).toJSON() as CfnTemplate,
  ],
];

describe.each(templates)('the template of %s', (_, read) => {
  it('has no type and no property that CloudFormation does not know', () => {
    expect(mistakesIn(read())).toEqual([]);
  });

  it('says of everything that holds data what becomes of it', () => {
    const stateful = Object.entries(read().Resources).filter(([, resource]) => isStateful(resource));
    expect(stateful.map(([id]) => id)).toEqual(expect.arrayContaining([TABLE, 'KeyRingSecret73EFAB8B']));
    for (const [id, { DeletionPolicy, UpdateReplacePolicy }] of stateful) {
      expect(DeletionPolicy, id).toMatch(/^(Retain|Delete)$/);
      expect(UpdateReplacePolicy, id).toBe(DeletionPolicy);
    }
  });
});

describe('a permission on every resource', () => {
  /** What AWS cannot, or is not documented to, limit to a resource; the reasons stand beside the statements. */
  const unlimitable = [
    'cloudwatch:DescribeAlarms',
    'ec2:AssignPrivateIpAddresses',
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:UnassignPrivateIpAddresses',
    'logs:CreateLogGroup',
    'logs:CreateLogStream',
    'logs:DescribeLogGroups',
    'logs:DescribeLogStreams',
    'logs:FilterLogEvents',
    'logs:GetLogEvents',
    'logs:PutLogEvents',
    'xray:PutTelemetryRecords',
    'xray:PutTraceSegments',
  ];

  it('is given only where AWS cannot limit it', () => {
    const { Resources } = synthesize('prod', { settings: everything }).toJSON() as CfnTemplate;
    const documents = Object.values(Resources).flatMap(({ Type, Properties = {} }) => {
      if (Type === 'AWS::IAM::Policy') return [Properties.PolicyDocument];
      if (Type !== 'AWS::IAM::Role') return [];
      return ((Properties.Policies ?? []) as { PolicyDocument: unknown }[]).map(
        (policy) => policy.PolicyDocument,
      );
    }) as { Statement: { Effect: string; Action: string | string[]; Resource: unknown }[] }[];
    const actions = documents
      .flatMap(({ Statement }) => Statement)
      .filter(({ Effect, Resource }) => Effect === 'Allow' && [Resource].flat().includes('*'))
      .flatMap(({ Action }) => Action);

    expect([...new Set(actions)].sort()).toEqual(unlimitable);
  });
});

describe('the check of properties', () => {
  it.each<[string, object, string]>([
    ['a misspelt property', { BillingModus: 'PAY_PER_REQUEST' }, 'no property BillingModus'],
    [
      'a misspelt member of a list',
      { KeySchema: [{ Attribute: 'pk', KeyType: 'HASH' }] },
      'no property Attribute',
    ],
    ['a missing member', { KeySchema: [{ KeyType: 'HASH' }] }, 'no AttributeName, which is required'],
    ['a list that is none', { KeySchema: {} }, 'KeySchema: must be a list'],
  ])('finds %s', (_, properties, mistake) => {
    expect(mistakesIn(changed(TABLE, withProperties(properties))).join('\n')).toContain(mistake);
  });

  it('finds a type that does not exist', () => {
    expect(mistakesIn({ Resources: { It: { Type: 'AWS::DynamoDB::Tabel' } } })).toEqual([
      'It: no type AWS::DynamoDB::Tabel',
    ]);
  });
});

describe('the comparison with the recorded template', () => {
  const refusals = (next: CfnTemplate) => destructiveChanges(recordedTemplate('prod'), next);

  it('refuses a renamed table', () => {
    const { Resources } = recordedTemplate('prod');
    const { [TABLE]: table = { Type: '' }, ...others } = Resources;

    expect(refusals({ Resources: { ...others, MembersTable0A1B2C3D: table } })).toEqual([
      `${TABLE} (AWS::DynamoDB::GlobalTable) is removed or renamed`,
    ]);
  });

  it.each([[[]], [undefined]])('refuses a removed index: %j', (GlobalSecondaryIndexes) => {
    expect(refusals(changed(TABLE, withProperties({ GlobalSecondaryIndexes })))).toEqual([
      `${TABLE} loses the index openid-index, or it changes`,
      `${TABLE} loses the index closing-index, or it changes`,
    ]);
  });

  it('refuses another key, a name of its own, and less protection', () => {
    const KeySchema = [{ AttributeName: 'id', KeyType: 'HASH' }];

    expect(refusals(changed(TABLE, withProperties({ KeySchema })))).toEqual([
      `${TABLE} is replaced: its KeySchema changes`,
    ]);
    expect(refusals(changed('KeyRingSecret73EFAB8B', withProperties({ Name: 'keys' })))).toEqual([
      'KeyRingSecret73EFAB8B is replaced: its Name changes',
    ]);
    expect(refusals(changed(TABLE, (table) => ({ ...table, DeletionPolicy: 'Delete' })))).toEqual([
      `${TABLE} is no longer retained: its DeletionPolicy is Delete`,
    ]);
  });

  it('lets everything else pass: settings of a table, functions that go', () => {
    expect(refusals(changed(TABLE, withProperties({ TimeToLiveSpecification: { Enabled: false } })))).toEqual(
      [],
    );
    const { Resources } = recordedTemplate('prod');
    const kept = Object.entries(Resources).filter(([, { Type }]) => Type !== 'AWS::Lambda::Function');
    expect(refusals({ Resources: Object.fromEntries(kept) })).toEqual([]);
  });
});
