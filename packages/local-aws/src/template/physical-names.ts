/**
 * What each resource type answers to `Ref` and `Fn::GetAtt`, and which types do nothing here. One table: a type
 * that is not in it is refused, because a resource silently missing locally is a surprise in the cloud.
 */
import { createHash } from 'node:crypto';
import type { Json } from './assembly.ts';

/** The account every ARN of the local run names. */
export const ACCOUNT_ID = '000000000000';

/** The region the local run plays. */
export const REGION = 'us-east-1';

/** ARN of an API of any kind, by its id: what permissions and policies name. */
export const apiArnOf = (apiId: string): string => `arn:aws:execute-api:${REGION}:${ACCOUNT_ID}:${apiId}`;

/** Values of the pseudo parameters other than `AWS::StackName` and `AWS::StackId`. */
export const pseudoParameters: Readonly<Record<string, string>> = {
  'AWS::AccountId': ACCOUNT_ID,
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::URLSuffix': 'amazonaws.com',
};

/** What a resource is called once it exists. */
export interface PhysicalNames {
  /** The value of `Ref`. */
  readonly ref: Json;
  /** The values of `Fn::GetAtt`, by attribute name. */
  readonly attributes: Readonly<Record<string, Json>>;
}

/** A resource that is to be named. */
export interface Unnamed {
  readonly stackName: string;
  readonly logicalId: string;
  /** A property as text, intrinsic functions resolved; undefined when absent. */
  readonly text: (property: string) => string | undefined;
}

interface ResourceType {
  /** Why the local run does nothing with it; absent for what it runs. */
  readonly noEffect?: string;
  readonly names: (resource: Unnamed) => PhysicalNames;
}

/** Stable hexadecimal digits for a resource, so that names survive a restart as they survive a re-deploy. */
const hexDigest = (resource: Unnamed): string =>
  createHash('sha256').update(`${resource.stackName}/${resource.logicalId}`).digest('hex');

/** The same as letters and digits. */
const digest = (resource: Unnamed, length: number): string =>
  BigInt(`0x${hexDigest(resource)}`)
    .toString(36)
    .slice(-length);

const uuid = (resource: Unnamed): string =>
  hexDigest(resource).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/** An id as EC2 makes them up, such as `vpc-0123456789abcdef0`. */
const ec2Id = (prefix: string, resource: Unnamed): string => `${prefix}-${hexDigest(resource).slice(0, 17)}`;

const generatedName = (resource: Unnamed): string =>
  `${resource.stackName}-${resource.logicalId}-${digest(resource, 12).toUpperCase()}`;

const arn = (service: string, resource: string, region = REGION, account = ACCOUNT_ID): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`;

/** Types whose `Ref` is their name and that have an ARN built from it. */
const named =
  (
    nameProperty: string,
    arnOf: (name: string) => string,
    more: (name: string) => Record<string, Json> = () => ({}),
  ) =>
  (resource: Unnamed): PhysicalNames => {
    const name = resource.text(nameProperty) ?? generatedName(resource);
    return { ref: name, attributes: { Arn: arnOf(name), ...more(name) } };
  };

/** Types whose `Ref` is their ARN. */
const byArn =
  (nameProperty: string, arnOf: (name: string) => string, ...arnAttributes: string[]) =>
  (resource: Unnamed): PhysicalNames => {
    const ref = arnOf(resource.text(nameProperty) ?? generatedName(resource));
    return { ref, attributes: Object.fromEntries(arnAttributes.map((attribute) => [attribute, ref])) };
  };

/** Types whose `Ref` is an id made up by the service. */
const byId =
  (idAttribute?: string) =>
  (resource: Unnamed): PhysicalNames => {
    const ref = digest(resource, 10);
    return { ref, attributes: idAttribute === undefined ? {} : { [idAttribute]: ref } };
  };

/** Types whose `Ref` is an id of EC2; properties that are attributes as well keep their values. */
const byEc2Id =
  (prefix: string, idAttribute: string, ...properties: string[]) =>
  (resource: Unnamed): PhysicalNames => {
    const ref = ec2Id(prefix, resource);
    const given = properties.map((property): [string, Json] => [property, resource.text(property) ?? '']);
    return { ref, attributes: { [idAttribute]: ref, ...Object.fromEntries(given) } };
  };

const nameOnly = (resource: Unnamed): PhysicalNames => ({ ref: generatedName(resource), attributes: {} });

const qualified =
  (qualifier: (resource: Unnamed) => string, attributes: (ref: string) => Record<string, Json>) =>
  (resource: Unnamed): PhysicalNames => {
    const name = resource.text('FunctionName') ?? '';
    const functionArn = name.startsWith('arn:') ? name : arn('lambda', `function:${name}`);
    const ref = `${functionArn}:${qualifier(resource)}`;
    return { ref, attributes: attributes(ref) };
  };

const permissions = 'policies of secrets and topics are not checked: everything is in one account';
const observation = 'logs and metrics are not collected; lines go to the terminal';
const publication = 'changes to an API take effect at once';
const perimeter = 'nothing stands in front of the local gateway, which serves the API at the root';
const network = 'functions run in the network of this machine';
const deployment = 'the functions of the template serve at once and alone';

const table = named('TableName', (name) => arn('dynamodb', `table/${name}`));

const types: Readonly<Record<string, ResourceType>> = {
  'AWS::DynamoDB::Table': { names: table },
  'AWS::DynamoDB::GlobalTable': { names: table },
  'AWS::SecretsManager::Secret': {
    names: (resource) => {
      const name = resource.text('Name') ?? generatedName(resource);
      const ref = arn('secretsmanager', `secret:${name}-${digest(resource, 6)}`);
      return { ref, attributes: { Id: ref } };
    },
  },
  'AWS::SecretsManager::RotationSchedule': { names: nameOnly },
  'AWS::SecretsManager::ResourcePolicy': { noEffect: permissions, names: nameOnly },
  'AWS::Lambda::Function': { names: named('FunctionName', (name) => arn('lambda', `function:${name}`)) },
  'AWS::Lambda::Version': {
    names: qualified(
      () => '1',
      (ref) => ({ FunctionArn: ref, Version: '1' }),
    ),
  },
  'AWS::Lambda::Alias': {
    names: qualified(
      (resource) => resource.text('Name') ?? '',
      (ref) => ({ AliasArn: ref }),
    ),
  },
  'AWS::ApiGateway::RestApi': {
    names: (resource) => {
      const ref = digest(resource, 10);
      return { ref, attributes: { RestApiId: ref, RootResourceId: `${ref}-root` } };
    },
  },
  'AWS::ApiGateway::Resource': { names: byId('ResourceId') },
  'AWS::ApiGateway::Method': { names: byId() },
  'AWS::ApiGateway::Authorizer': { names: byId('AuthorizerId') },
  'AWS::ApiGateway::GatewayResponse': { names: byId('Id') },
  'AWS::ApiGateway::RequestValidator': { names: byId('RequestValidatorId') },
  'AWS::ApiGateway::Stage': {
    names: (resource) => ({ ref: resource.text('StageName') ?? '', attributes: {} }),
  },
  'AWS::ApiGatewayV2::Api': {
    names: (resource) => {
      const ref = digest(resource, 10);
      const scheme = resource.text('ProtocolType') === 'WEBSOCKET' ? 'wss' : 'https';
      const ApiEndpoint = `${scheme}://${ref}.execute-api.${REGION}.amazonaws.com`;
      return { ref, attributes: { ApiId: ref, ApiEndpoint } };
    },
  },
  'AWS::ApiGatewayV2::Authorizer': { names: byId('AuthorizerId') },
  'AWS::ApiGatewayV2::Integration': { names: byId('IntegrationId') },
  'AWS::ApiGatewayV2::Route': { names: byId('RouteId') },
  'AWS::ApiGatewayV2::RouteResponse': { names: byId('RouteResponseId') },
  'AWS::ApiGatewayV2::Stage': {
    names: (resource) => ({ ref: resource.text('StageName') ?? '', attributes: {} }),
  },
  'AWS::Lambda::Permission': { names: nameOnly },
  'AWS::SSM::Parameter': {
    names: (resource) => ({
      ref: resource.text('Name') ?? generatedName(resource),
      attributes: { Type: resource.text('Type') ?? '', Value: resource.text('Value') ?? '' },
    }),
  },

  'AWS::ApiGateway::Account': { noEffect: observation, names: byId('Id') },
  'AWS::ApiGateway::Deployment': { noEffect: publication, names: byId('DeploymentId') },
  'AWS::ApiGatewayV2::Deployment': { noEffect: publication, names: byId('DeploymentId') },
  'AWS::ApiGateway::DomainName': {
    noEffect: perimeter,
    names: (resource) => ({
      ref: resource.text('DomainName') ?? '',
      attributes: {
        RegionalDomainName: `d-${digest(resource, 10)}.execute-api.${REGION}.amazonaws.com`,
        // https://docs.aws.amazon.com/general/latest/gr/apigateway.html
        RegionalHostedZoneId: 'Z1UJRXOUMOOFQ8',
      },
    }),
  },
  'AWS::ApiGateway::BasePathMapping': { noEffect: perimeter, names: nameOnly },
  'AWS::WAFv2::WebACL': {
    noEffect: perimeter,
    names: (resource) => {
      const name = resource.text('Name') ?? generatedName(resource);
      const Id = uuid(resource);
      return {
        ref: `${name}|${Id}|${resource.text('Scope')}`,
        attributes: { Arn: arn('wafv2', `regional/webacl/${name}/${Id}`), Id },
      };
    },
  },
  'AWS::WAFv2::WebACLAssociation': { noEffect: perimeter, names: nameOnly },
  'AWS::IAM::Role': {
    names: named(
      'RoleName',
      (name) => arn('iam', `role/${name}`, ''),
      () => ({ RoleId: 'AROALOCAL' }),
    ),
  },
  'AWS::IAM::Policy': { names: nameOnly },
  'AWS::IAM::ManagedPolicy': {
    names: byArn('ManagedPolicyName', (name) => arn('iam', `policy/${name}`, ''), 'PolicyArn'),
  },
  'AWS::Lambda::EventInvokeConfig': { noEffect: 'nothing is invoked asynchronously', names: nameOnly },
  'AWS::KMS::Key': {
    names: (resource) => {
      const ref = uuid(resource);
      return { ref, attributes: { KeyId: ref, Arn: arn('kms', `key/${ref}`) } };
    },
  },
  'AWS::KMS::Alias': {
    noEffect: 'keys are found by their ARN',
    names: (resource) => ({ ref: resource.text('AliasName') ?? '', attributes: {} }),
  },
  'AWS::Logs::LogGroup': {
    noEffect: observation,
    names: named('LogGroupName', (name) => arn('logs', `log-group:${name}:*`)),
  },
  'AWS::Logs::MetricFilter': { noEffect: observation, names: nameOnly },
  'AWS::Logs::QueryDefinition': { noEffect: observation, names: byId('QueryDefinitionId') },
  'AWS::CloudWatch::Alarm': {
    noEffect: observation,
    names: named('AlarmName', (name) => arn('cloudwatch', `alarm:${name}`)),
  },
  'AWS::CloudWatch::CompositeAlarm': {
    noEffect: observation,
    names: named('AlarmName', (name) => arn('cloudwatch', `alarm:${name}`)),
  },
  'AWS::CloudWatch::Dashboard': {
    noEffect: observation,
    names: (resource) => ({
      ref: resource.text('DashboardName') ?? generatedName(resource),
      attributes: {},
    }),
  },
  'AWS::SNS::Topic': {
    noEffect: 'alarms go nowhere',
    names: (resource) => {
      const TopicName = resource.text('TopicName') ?? generatedName(resource);
      const ref = arn('sns', TopicName);
      return { ref, attributes: { TopicArn: ref, TopicName } };
    },
  },
  'AWS::SNS::TopicPolicy': { noEffect: permissions, names: nameOnly },
  'AWS::SNS::Subscription': {
    noEffect: 'alarms go nowhere',
    names: (resource) => {
      const ref = `${resource.text('TopicArn')}:${uuid(resource)}`;
      return { ref, attributes: { Arn: ref } };
    },
  },
  'AWS::CodeDeploy::Application': {
    noEffect: deployment,
    names: (resource) => ({
      ref: resource.text('ApplicationName') ?? generatedName(resource),
      attributes: {},
    }),
  },
  'AWS::CodeDeploy::DeploymentGroup': {
    noEffect: deployment,
    names: (resource) => ({
      ref: resource.text('DeploymentGroupName') ?? generatedName(resource),
      attributes: {},
    }),
  },
  'AWS::EC2::VPC': {
    noEffect: network,
    names: (resource) => {
      const ref = ec2Id('vpc', resource);
      return {
        ref,
        attributes: {
          VpcId: ref,
          CidrBlock: resource.text('CidrBlock') ?? '',
          DefaultSecurityGroup: ec2Id('sg', resource),
        },
      };
    },
  },
  'AWS::EC2::Subnet': {
    noEffect: network,
    names: byEc2Id('subnet', 'SubnetId', 'VpcId', 'AvailabilityZone', 'CidrBlock'),
  },
  'AWS::EC2::RouteTable': { noEffect: network, names: byEc2Id('rtb', 'RouteTableId') },
  'AWS::EC2::Route': {
    noEffect: network,
    names: (resource) => {
      const CidrBlock = resource.text('DestinationCidrBlock') ?? '';
      return { ref: `${resource.text('RouteTableId')}|${CidrBlock}`, attributes: { CidrBlock } };
    },
  },
  'AWS::EC2::SubnetRouteTableAssociation': { noEffect: network, names: byEc2Id('rtbassoc', 'Id') },
  'AWS::EC2::InternetGateway': { noEffect: network, names: byEc2Id('igw', 'InternetGatewayId') },
  'AWS::EC2::VPCGatewayAttachment': {
    noEffect: network,
    names: (resource) => ({
      ref: `IGW|${resource.text('VpcId')}`,
      attributes: { AttachmentType: 'IGW' },
    }),
  },
  'AWS::EC2::EIP': {
    noEffect: network,
    names: (resource) => {
      // Of the block that is set aside for documentation, https://www.rfc-editor.org/rfc/rfc5737
      const PublicIp = `203.0.113.${Number.parseInt(hexDigest(resource).slice(0, 2), 16)}`;
      return { ref: PublicIp, attributes: { PublicIp, AllocationId: ec2Id('eipalloc', resource) } };
    },
  },
  'AWS::EC2::NatGateway': { noEffect: network, names: byEc2Id('nat', 'NatGatewayId') },
  'AWS::EC2::VPCEndpoint': { noEffect: network, names: byEc2Id('vpce', 'Id') },
  'AWS::EC2::SecurityGroup': { noEffect: network, names: byEc2Id('sg', 'GroupId', 'VpcId') },
  'AWS::EC2::FlowLog': { noEffect: network, names: byEc2Id('fl', 'Id') },
  'AWS::CDK::Metadata': { noEffect: 'it describes the template', names: nameOnly },
};

/** The entry of a resource type; undefined when the local run does not know the type. */
export function resourceType(type: string): ResourceType | undefined {
  return Object.hasOwn(types, type) ? types[type] : undefined;
}
