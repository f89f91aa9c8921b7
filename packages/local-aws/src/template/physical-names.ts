/**
 * What each resource type gives for `Ref` and `Fn::GetAtt`. One table: a type that is not in it is refused, because
 * a resource silently missing locally is a surprise in the cloud.
 */
import { createHash } from 'node:crypto';
import type { Json } from '../json.ts';
import { arnOf, REGION } from './account.ts';
import { inertTypes } from './inert-types.ts';

/** What a resource is called once it exists. */
export interface PhysicalNames {
  /** The value of `Ref`. */
  readonly ref: Json;
  /** The values of `Fn::GetAtt`, by attribute name. */
  readonly attributes: Readonly<Record<string, Json>>;
}

/** A resource that is to be named. */
interface Unnamed {
  readonly stackName: string;
  readonly logicalId: string;
  /** A property as text, intrinsic functions resolved; undefined when absent. */
  readonly text: (property: string) => string | undefined;
}

/** Names a resource of one type. */
type Naming = (resource: Unnamed) => PhysicalNames;

/** Stable letters and digits for a resource, so that names survive a restart as they survive a re-deploy. */
const digest = ({ stackName, logicalId }: Unnamed, length: number): string =>
  BigInt(`0x${createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex')}`)
    .toString(36)
    .slice(-length);

const generatedName = (resource: Unnamed): string =>
  `${resource.stackName}-${resource.logicalId}-${digest(resource, 12).toUpperCase()}`;

/** Types whose `Ref` is their name and that have an ARN built from it. */
const named =
  (nameProperty: string, toArn: (name: string) => string): Naming =>
  (resource) => {
    const name = resource.text(nameProperty) ?? generatedName(resource);
    return { ref: name, attributes: { Arn: toArn(name) } };
  };

/** Types whose `Ref` is an id made up by the service. */
const byId =
  (idAttribute?: string): Naming =>
  (resource) => {
    const ref = digest(resource, 10);
    return { ref, attributes: idAttribute === undefined ? {} : { [idAttribute]: ref } };
  };

/** Versions and aliases, whose `Ref` is the ARN of their function with a qualifier. */
const qualified =
  (qualifier: (resource: Unnamed) => string, attributes: (ref: string) => Record<string, Json>): Naming =>
  (resource) => {
    const name = resource.text('FunctionName') ?? '';
    const functionArn = name.startsWith('arn:') ? name : arnOf('lambda', `function:${name}`);
    const ref = `${functionArn}:${qualifier(resource)}`;
    return { ref, attributes: attributes(ref) };
  };

const nameOnly: Naming = (resource) => ({ ref: generatedName(resource), attributes: {} });

const stage: Naming = (resource) => ({ ref: resource.text('StageName') ?? '', attributes: {} });

const types: Readonly<Record<string, Naming>> = {
  'AWS::ApiGateway::Authorizer': byId('AuthorizerId'),
  'AWS::ApiGateway::GatewayResponse': byId('Id'),
  'AWS::ApiGateway::Method': byId(),
  'AWS::ApiGateway::Resource': byId('ResourceId'),
  'AWS::ApiGateway::RestApi': (resource) => {
    const ref = digest(resource, 10);
    return { ref, attributes: { RestApiId: ref, RootResourceId: `${ref}-root` } };
  },
  'AWS::ApiGateway::Stage': stage,
  'AWS::ApiGatewayV2::Api': (resource) => {
    const ref = digest(resource, 10);
    const scheme = resource.text('ProtocolType') === 'WEBSOCKET' ? 'wss' : 'https';
    const ApiEndpoint = `${scheme}://${ref}.execute-api.${REGION}.amazonaws.com`;
    return { ref, attributes: { ApiId: ref, ApiEndpoint } };
  },
  'AWS::ApiGatewayV2::Authorizer': byId('AuthorizerId'),
  'AWS::ApiGatewayV2::Integration': byId('IntegrationId'),
  'AWS::ApiGatewayV2::Route': byId('RouteId'),
  'AWS::ApiGatewayV2::RouteResponse': byId('RouteResponseId'),
  'AWS::ApiGatewayV2::Stage': stage,
  'AWS::DynamoDB::GlobalTable': named('TableName', (name) => arnOf('dynamodb', `table/${name}`)),
  'AWS::IAM::Policy': nameOnly,
  'AWS::IAM::Role': named('RoleName', (name) => arnOf('iam', `role/${name}`, '')),
  'AWS::KMS::Key': (resource) => {
    const ref = digest(resource, 12);
    return { ref, attributes: { KeyId: ref, Arn: arnOf('kms', `key/${ref}`) } };
  },
  'AWS::Lambda::Alias': qualified(
    (resource) => resource.text('Name') ?? '',
    (ref) => ({ AliasArn: ref }),
  ),
  'AWS::Lambda::Function': named('FunctionName', (name) => arnOf('lambda', `function:${name}`)),
  'AWS::Lambda::Permission': nameOnly,
  'AWS::Lambda::Version': qualified(
    () => '1',
    (ref) => ({ FunctionArn: ref, Version: '1' }),
  ),
  'AWS::SecretsManager::RotationSchedule': nameOnly,
  'AWS::SecretsManager::Secret': (resource) => {
    const name = resource.text('Name') ?? generatedName(resource);
    const ref = arnOf('secretsmanager', `secret:${name}-${digest(resource, 6)}`);
    return { ref, attributes: { Id: ref } };
  },
  'AWS::SSM::Parameter': (resource) => ({
    ref: resource.text('Name') ?? generatedName(resource),
    attributes: { Type: resource.text('Type') ?? '', Value: resource.text('Value') ?? '' },
  }),
};

/** A name that says whose it is: nothing on this machine looks at the form that AWS gives it. */
function inertNames(resource: Unnamed, attributes: string): PhysicalNames {
  const ref = generatedName(resource);
  const named = attributes.split(' ').map((attribute) => [attribute, `${ref}.${attribute}`]);
  return { ref, attributes: Object.fromEntries(named) };
}

/** How resources of a type are named; undefined when the type is not known. */
export function namingOf(type: string): Naming | undefined {
  if (Object.hasOwn(types, type)) return types[type];
  const attributes = Object.hasOwn(inertTypes, type) ? inertTypes[type] : undefined;
  return attributes === undefined ? undefined : (resource) => inertNames(resource, attributes);
}
