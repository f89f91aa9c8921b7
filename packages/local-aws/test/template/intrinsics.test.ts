import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/json.ts';
import type { Resource } from '../../src/template/assembly.ts';
import { createResolver } from '../../src/template/intrinsics.ts';
import { type Resources, template } from '../fixtures/assembly.ts';

const role: Resource = { Type: 'AWS::IAM::Role', Properties: { RoleName: 'reader' } };

const resolve = (
  value: Json,
  {
    resources = { Role: role },
    sections = {},
    parameters = {},
  }: {
    resources?: Resources;
    sections?: object;
    parameters?: Record<string, string>;
  } = {},
): Json => createResolver(template(resources, {}, sections), { parameters }).resolve(value, 'Thing.Property');

describe('intrinsic functions', () => {
  test.each<[what: string, value: Json, expected: Json]>([
    ['a plain value', { a: [1, 'b', null, true] }, { a: [1, 'b', null, true] }],
    ['Ref of a resource', { Ref: 'Role' }, 'reader'],
    ['Ref of the partition', { Ref: 'AWS::Partition' }, 'aws'],
    ['Ref of the account', { Ref: 'AWS::AccountId' }, '000000000000'],
    ['Ref of the URL suffix', { Ref: 'AWS::URLSuffix' }, 'amazonaws.com'],
    ['Ref of the stack name', { Ref: 'AWS::StackName' }, 'Demo'],
    ['GetAtt as a list', { 'Fn::GetAtt': ['Role', 'Arn'] }, 'arn:aws:iam::000000000000:role/reader'],
    ['GetAtt as text', { 'Fn::GetAtt': 'Role.Arn' }, 'arn:aws:iam::000000000000:role/reader'],
    ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'Role' }, 3]] }, 'a-reader-3'],
    [
      'Sub',
      { 'Fn::Sub': `\${Role}/\${Role.Arn}/\${AWS::Region}` },
      'reader/arn:aws:iam::000000000000:role/reader/us-east-1',
    ],
    ['Sub with variables', { 'Fn::Sub': [`\${a}-\${Role}`, { a: { Ref: 'AWS::Partition' } }] }, 'aws-reader'],
    ['a literal in Sub', { 'Fn::Sub': `\${!Literal}` }, `\${Literal}`],
    ['Select', { 'Fn::Select': [1, ['a', 'b']] }, 'b'],
    ['Split', { 'Fn::Split': [':', 'a:b'] }, ['a', 'b']],
    [
      'functions within functions',
      {
        'Fn::Join': [
          '',
          ['arn:', { 'Fn::Select': ['1', { 'Fn::Split': [':', { 'Fn::GetAtt': ['Role', 'Arn'] }] }] }],
        ],
      },
      'arn:aws',
    ],
    ['GetAZs', { 'Fn::GetAZs': '' }, ['us-east-1a', 'us-east-1b', 'us-east-1c']],
    ['one zone of the region', { 'Fn::Select': [1, { 'Fn::GetAZs': { Ref: 'AWS::Region' } }] }, 'us-east-1b'],
    ['NoValue in an object', { a: 1, b: { Ref: 'AWS::NoValue' } }, { a: 1 }],
    ['NoValue in a list', [1, { Ref: 'AWS::NoValue' }], [1]],
  ])('resolve %s', (_, value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  test('take mappings and parameters from the template', () => {
    const sections = {
      Parameters: {
        Stage: { Type: 'String', Default: 'dev' },
        Zones: { Type: 'CommaDelimitedList', Default: 'a,b' },
      },
      Mappings: {
        Sizes: { dev: { Memory: 128 }, prod: { Memory: 1024 } },
        Consoles: { aws: { host: 'console.aws.amazon.com' }, 'aws-cn': { host: 'console.amazonaws.cn' } },
      },
    };
    const value = {
      memory: { 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'Memory'] },
      console: { 'Fn::FindInMap': ['Consoles', { Ref: 'AWS::Partition' }, 'host'] },
      zones: { Ref: 'Zones' },
    };

    expect(resolve(value, { sections })).toEqual({
      memory: 128,
      console: 'console.aws.amazon.com',
      zones: ['a', 'b'],
    });
    expect(resolve(value, { sections, parameters: { Stage: 'prod' } })).toMatchObject({ memory: 1024 });
  });

  test.each<[what: string, value: Json, message: string]>([
    [
      'an unknown function',
      { 'Fn::Cidr': ['10.0.0.0/16', 2, 8] },
      'Thing.Property: function Fn::Cidr is not supported by the local run.',
    ],
    [
      'the zones of another region',
      { 'Fn::GetAZs': 'eu-west-1' },
      'Thing.Property: Fn::GetAZs of eu-west-1, which is another region, is not supported by the local run.',
    ],
    [
      'an inherited name',
      { 'Fn::toString': '' },
      'Thing.Property: function Fn::toString is not supported by the local run.',
    ],
    [
      'an unknown attribute',
      { 'Fn::GetAtt': ['Role', 'Colour'] },
      'Thing.Property: attribute Colour of Role (AWS::IAM::Role) is not supported by the local run.',
    ],
    [
      'an unknown resource',
      { Ref: 'Nowhere' },
      'Thing.Property: the template has no resource or parameter named Nowhere.',
    ],
    [
      'a choice by a condition',
      { 'Fn::If': ['Never', 1, 2] },
      'Thing.Property: function Fn::If is not supported by the local run.',
    ],
    [
      'a dynamic reference',
      '{{resolve:ssm:/a}}',
      'Thing.Property: a dynamic reference ({{resolve:…}}) is not supported by the local run.',
    ],
    ['an index out of range', { 'Fn::Select': [2, ['a']] }, 'Thing.Property: Fn::Select finds nothing at 2.'],
    [
      'a nested problem',
      { a: [{ Ref: 'Nowhere' }] },
      'Thing.Property.a[0]: the template has no resource or parameter named Nowhere.',
    ],
  ])('refuse %s, naming where', (_, value, message) => {
    expect(() => resolve(value)).toThrow(message);
  });
});

describe('resources', () => {
  test('of an unknown type are refused by logical id and type', () => {
    const queue = { Queue: { Type: 'AWS::SQS::Queue' } };

    expect(() => createResolver(template(queue))).toThrow(
      'Queue: resource type AWS::SQS::Queue is not supported by the local run.',
    );
  });

  test('that exist on a condition only are refused', () => {
    const conditional: Resource & { Condition: string } = { ...role, Condition: 'IsProd' };

    expect(() => createResolver(template({ Role: conditional }))).toThrow(
      'Role: a condition is not supported by the local run.',
    );
  });

  test('keep their generated names from one run to the next', () => {
    const table = {
      Users: { Type: 'AWS::DynamoDB::GlobalTable' },
      Other: { Type: 'AWS::DynamoDB::GlobalTable' },
    };
    const [first, second] = [createResolver(template(table)), createResolver(template(table))];

    expect(first.names('Users')).toEqual(second.names('Users'));
    expect(first.names('Users').ref).not.toEqual(first.names('Other').ref);
    expect(first.names('Users').ref).toMatch(/^Demo-Users-[0-9A-Z]{12}$/);
    expect(first.names('Users').attributes.Arn).toBe(
      `arn:aws:dynamodb:us-east-1:000000000000:table/${first.names('Users').ref}`,
    );
  });

  test('that are named after themselves are refused', () => {
    const role = { Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: { Ref: 'Role' } } } };

    expect(() => createResolver(template(role))).toThrow('the name of Role refers to itself');
  });
});
