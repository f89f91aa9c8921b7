import { describe, expect, test } from 'vitest';
import { specOf } from '../../../../test/fixtures/service-spec.ts';
import type { Resource } from '../../src/template/assembly.ts';
import { createResolver } from '../../src/template/intrinsics.ts';
import { lambda, template } from '../fixtures/assembly.ts';

const namesOf = (Type: string, Properties: Resource['Properties'] = {}) =>
  createResolver(
    template({ Thing: { Type, Properties }, Fn: lambda('Fn', { FunctionName: 'login' }) }),
  ).names('Thing');

const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const ec2 = (prefix: string): RegExp => new RegExp(`^${prefix}-[0-9a-f]{17}$`);
const arn = (service: string, resource: string): RegExp =>
  new RegExp(`^arn:aws:${service}:us-east-1:000000000000:${resource}$`);
const functionArn = 'arn:aws:lambda:us-east-1:000000000000:function:login';
const topicArn = 'arn:aws:sns:us-east-1:000000000000:alarms';

describe('what a resource is called', () => {
  test.each<
    [type: string, properties: Resource['Properties'], ref: RegExp, attributes?: Record<string, RegExp>]
  >([
    [
      'AWS::Lambda::Version',
      { FunctionName: { Ref: 'Fn' } },
      new RegExp(`^${functionArn}:1$`),
      { Version: /^1$/, FunctionArn: new RegExp(`^${functionArn}:1$`) },
    ],
    [
      'AWS::Lambda::Alias',
      { FunctionName: { 'Fn::GetAtt': ['Fn', 'Arn'] }, FunctionVersion: '1', Name: 'live' },
      new RegExp(`^${functionArn}:live$`),
      { AliasArn: new RegExp(`^${functionArn}:live$`) },
    ],
    ['AWS::KMS::Key', {}, new RegExp(`^${UUID}$`), { Arn: arn('kms', `key/${UUID}`) }],
    ['AWS::CodeDeploy::Application', { ApplicationName: 'app' }, /^app$/],
    ['AWS::CodeDeploy::DeploymentGroup', { ApplicationName: 'app' }, /^Demo-Thing-\w{12}$/],
    [
      'AWS::ApiGateway::DomainName',
      { DomainName: 'login.example.com' },
      /^login\.example\.com$/,
      {
        RegionalDomainName: /^d-[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com$/,
        RegionalHostedZoneId: /^Z[A-Z0-9]{10,}$/,
      },
    ],
    [
      'AWS::WAFv2::WebACL',
      { Name: 'acl', Scope: 'REGIONAL' },
      new RegExp(`^acl\\|${UUID}\\|REGIONAL$`),
      { Id: new RegExp(`^${UUID}$`), Arn: arn('wafv2', `regional/webacl/acl/${UUID}`) },
    ],
    ['AWS::CloudWatch::Dashboard', { DashboardName: 'board' }, /^board$/],
    ['AWS::SNS::Topic', { TopicName: 'alarms' }, new RegExp(`^${topicArn}$`), { TopicName: /^alarms$/ }],
    [
      'AWS::SNS::Subscription',
      { TopicArn: topicArn },
      new RegExp(`^${topicArn}:${UUID}$`),
      { Arn: new RegExp(`^${topicArn}:${UUID}$`) },
    ],
    [
      'AWS::EC2::VPC',
      { CidrBlock: '10.0.0.0/16' },
      ec2('vpc'),
      { VpcId: ec2('vpc'), CidrBlock: /^10\.0\.0\.0\/16$/, DefaultSecurityGroup: ec2('sg') },
    ],
    [
      'AWS::EC2::Subnet',
      {
        VpcId: 'vpc-1',
        CidrBlock: '10.0.0.0/24',
        AvailabilityZone: { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] },
      },
      ec2('subnet'),
      { SubnetId: ec2('subnet'), VpcId: /^vpc-1$/, AvailabilityZone: /^us-east-1a$/ },
    ],
    ['AWS::EC2::RouteTable', {}, ec2('rtb'), { RouteTableId: ec2('rtb') }],
    [
      'AWS::EC2::Route',
      { RouteTableId: 'rtb-1', DestinationCidrBlock: '0.0.0.0/0' },
      /^rtb-1\|0\.0\.0\.0\/0$/,
      { CidrBlock: /^0\.0\.0\.0\/0$/ },
    ],
    ['AWS::EC2::SubnetRouteTableAssociation', {}, ec2('rtbassoc'), { Id: ec2('rtbassoc') }],
    ['AWS::EC2::InternetGateway', {}, ec2('igw'), { InternetGatewayId: ec2('igw') }],
    ['AWS::EC2::VPCGatewayAttachment', { VpcId: 'vpc-1' }, /^IGW\|vpc-1$/, { AttachmentType: /^IGW$/ }],
    ['AWS::EC2::EIP', {}, /^203\.0\.113\.\d+$/, { PublicIp: /^203\.0/, AllocationId: ec2('eipalloc') }],
    ['AWS::EC2::NatGateway', {}, ec2('nat'), { NatGatewayId: ec2('nat') }],
    ['AWS::EC2::VPCEndpoint', {}, ec2('vpce'), { Id: ec2('vpce') }],
    ['AWS::EC2::SecurityGroup', { VpcId: 'vpc-1' }, ec2('sg'), { GroupId: ec2('sg'), VpcId: /^vpc-1$/ }],
    ['AWS::EC2::FlowLog', {}, ec2('fl'), { Id: ec2('fl') }],
  ])('%s is as AWS shapes it', (type, properties, ref, attributes = {}) => {
    const names = namesOf(type, properties);

    expect(names.ref).toMatch(ref);
    for (const [name, shape] of Object.entries(attributes)) expect(names.attributes[name]).toMatch(shape);
    for (const name of Object.keys(names.attributes)) expect(specOf(type)?.attributes).toHaveProperty(name);
  });
});
