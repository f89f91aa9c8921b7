import { describe, expect, test } from 'vitest';
import { mayInvoke, readApiPermissions } from '../../src/lambda/invoke-permissions.ts';
import type { Resource } from '../../src/template/assembly.ts';
import { createResolver } from '../../src/template/intrinsics.ts';
import { template } from '../fixtures/assembly.ts';

const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:gate';
const source = 'arn:aws:execute-api:us-east-1:000000000000:abc/authorizers/x1';

const permits = (properties: Resource['Properties'], target = functionArn) => {
  const Permission = {
    Type: 'AWS::Lambda::Permission',
    Properties: {
      Action: 'lambda:InvokeFunction',
      FunctionName: functionArn,
      Principal: 'apigateway.amazonaws.com',
      SourceArn: source,
      ...properties,
    },
  };
  return mayInvoke(readApiPermissions(createResolver(template({ Permission }))), target, source);
};

describe('a permission', () => {
  test.each<[what: string, properties: Resource['Properties']]>([
    ['naming the authorizer', {}],
    [
      'naming all authorizers of the account',
      { SourceArn: 'arn:aws:execute-api:us-east-1:000000000000:*/authorizers/*' },
    ],
    ['naming any account', { SourceArn: 'arn:aws:execute-api:*:*:abc/*' }],
    ['naming the account beside', { SourceAccount: '000000000000' }],
    ['naming no source', { SourceArn: { Ref: 'AWS::NoValue' } }],
    ['naming the function without its ARN', { FunctionName: 'gate' }],
    ['naming the function by half of its ARN', { FunctionName: '000000000000:function:gate' }],
    ['for every action', { Action: 'lambda:*' }],
  ])('%s lets it in', (_, properties) => {
    expect(permits(properties)).toBe(true);
  });

  test.each<[what: string, properties: Resource['Properties']]>([
    ['naming another authorizer', { SourceArn: `${source}2` }],
    ['naming another API', { SourceArn: 'arn:aws:execute-api:us-east-1:000000000000:abd/authorizers/*' }],
    ['naming another account', { SourceArn: 'arn:aws:execute-api:us-east-1:111111111111:*/authorizers/*' }],
    ['naming another account beside', { SourceAccount: '111111111111' }],
    ['whose star would have to reach over a colon', { SourceArn: 'arn:aws:*:abc/authorizers/x1' }],
    ['whose pattern is no ARN', { SourceArn: 'arn:aws:execute-api' }],
    ['for another service', { Principal: 'secretsmanager.amazonaws.com' }],
    ['for another action', { Action: 'lambda:GetFunction' }],
    ['naming another function', { FunctionName: 'gate2' }],
    ['naming an alias of the function', { FunctionName: `${functionArn}:live` }],
  ])('%s does not', (_, properties) => {
    expect(permits(properties)).toBe(false);
  });

  test.each(['gate:live', '000000000000:function:gate:live', `${functionArn}:live`])(
    'naming an alias lets in calls of the alias: %s',
    (FunctionName) => {
      expect(permits({ FunctionName }, `${functionArn}:live`)).toBe(true);
    },
  );

  test.each(['gate', functionArn, 'gate:1', 'gate:live2'])(
    'that does not name the alias keeps out calls of the alias: %s',
    (FunctionName) => {
      expect(permits({ FunctionName }, `${functionArn}:live`)).toBe(false);
    },
  );

  test('with a condition that is not known is refused', () => {
    expect(() => permits({ PrincipalOrgID: 'o-1' })).toThrow('Permission.PrincipalOrgID: this property');
  });
});
