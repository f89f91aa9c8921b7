import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/json.ts';
import type { Resource } from '../../src/template/assembly.ts';
import { createResolver } from '../../src/template/intrinsics.ts';
import { lambda, template } from '../fixtures/assembly.ts';

const namesOf = (Type: string, Properties: Resource['Properties'] = {}) =>
  createResolver(
    template({ Thing: { Type, Properties }, Fn: lambda('Fn', { FunctionName: 'login' }) }),
  ).names('Thing');

const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:login';

describe('what a resource is called', () => {
  test.each<[type: string, properties: Resource['Properties'], ref: Json, attributes: Record<string, Json>]>([
    [
      'AWS::Lambda::Version',
      { FunctionName: { Ref: 'Fn' } },
      `${functionArn}:1`,
      { Version: '1', FunctionArn: `${functionArn}:1` },
    ],
    [
      'AWS::Lambda::Alias',
      { FunctionName: { 'Fn::GetAtt': ['Fn', 'Arn'] }, FunctionVersion: '1', Name: 'live' },
      `${functionArn}:live`,
      { AliasArn: `${functionArn}:live` },
    ],
    [
      'AWS::SSM::Parameter',
      { Name: '/login/issuer', Type: 'String', Value: 'https://login.example' },
      '/login/issuer',
      { Type: 'String', Value: 'https://login.example' },
    ],
    [
      'AWS::SecretsManager::Secret',
      { Name: 'apps' },
      expect.stringMatching(/^arn:aws:secretsmanager:us-east-1:000000000000:secret:apps-\w{6}$/),
      { Id: expect.stringMatching(/:secret:apps-/) },
    ],
    [
      'AWS::KMS::Key',
      {},
      expect.stringMatching(/^\w{12}$/),
      { Arn: expect.stringMatching(/^arn:aws:kms:us-east-1:000000000000:key\/\w{12}$/) },
    ],
    [
      'AWS::SNS::Topic',
      {},
      expect.stringMatching(/^Demo-Thing-/),
      { TopicArn: expect.stringMatching(/^Demo-Thing-\w+\.TopicArn$/) },
    ],
  ])('%s', (type, properties, ref, attributes) => {
    expect(namesOf(type, properties)).toMatchObject({ ref, attributes });
  });
});
