/**
 * What each resource type answers to `Ref` and `Fn::GetAtt`, and which types do nothing here. One table: a type
 * that is not in it is refused, because a resource silently missing locally is a surprise in the cloud.
 */
import { createHash } from 'node:crypto';
import type { Json } from './template.ts';

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

/** Stable letters and digits for a resource, so that names survive a restart as they survive a re-deploy. */
const digest = (resource: Unnamed, length: number): string =>
  BigInt(`0x${createHash('sha256').update(`${resource.stackName}/${resource.logicalId}`).digest('hex')}`)
    .toString(36)
    .slice(-length);

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

const nameOnly = (resource: Unnamed): PhysicalNames => ({ ref: generatedName(resource), attributes: {} });

const qualified =
  (qualifier: (resource: Unnamed) => string, attributes: (ref: string) => Record<string, Json>) =>
  (resource: Unnamed): PhysicalNames => {
    const name = resource.text('FunctionName') ?? '';
    const functionArn = name.startsWith('arn:') ? name : arn('lambda', `function:${name}`);
    const ref = `${functionArn}:${qualifier(resource)}`;
    return { ref, attributes: attributes(ref) };
  };

const permissions = 'roles are checked, resource policies are not: everything is in one account';
const observation = 'logs and metrics are not collected; lines go to the terminal';
const publication = 'changes to an API take effect at once';
const perimeter = 'nothing stands in front of the local gateway, which serves the API at the root';
const trust = 'nothing is encrypted here';

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
    names: (resource) => ({ ref: resource.text('DomainName') ?? '', attributes: {} }),
  },
  'AWS::ApiGateway::BasePathMapping': { noEffect: perimeter, names: nameOnly },
  'AWS::WAFv2::WebACL': {
    noEffect: perimeter,
    names: named(
      'Name',
      (name) => arn('wafv2', `regional/webacl/${name}`),
      () => ({ Id: 'local' }),
    ),
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
    noEffect: trust,
    names: (resource) => {
      const ref = digest(resource, 12);
      return { ref, attributes: { KeyId: ref, Arn: arn('kms', `key/${ref}`) } };
    },
  },
  'AWS::KMS::Alias': {
    noEffect: trust,
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
  'AWS::CloudWatch::Dashboard': { noEffect: observation, names: nameOnly },
  'AWS::SNS::Topic': {
    noEffect: 'alarms go nowhere',
    names: byArn('TopicName', (name) => arn('sns', name), 'TopicArn'),
  },
  'AWS::SNS::TopicPolicy': { noEffect: permissions, names: nameOnly },
  'AWS::SNS::Subscription': { noEffect: 'alarms go nowhere', names: nameOnly },
  'AWS::CDK::Metadata': { noEffect: 'it describes the template', names: nameOnly },
};

/** The entry of a resource type; undefined when the local run does not know the type. */
export function resourceType(type: string): ResourceType | undefined {
  return Object.hasOwn(types, type) ? types[type] : undefined;
}
