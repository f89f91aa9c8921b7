/** What CloudFormation knows of a resource type, from the specification that the CDK itself is made from. */
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Property, PropertyType, Resource } from '@aws-cdk/service-spec-types';

/** A resource of a template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** The part of a template that is checked. */
export interface CfnTemplate {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
}

const database = loadAwsServiceSpecSync();

/** The specification of a type; undefined when CloudFormation has no such type. */
export function specOf(type: string): Resource | undefined {
  return database.lookup('resource', 'cloudFormationType', 'equals', type)[0];
}

/** Whether a resource of this type holds data that is lost with it. */
export const isStateful = ({ Type }: TemplateResource): boolean => specOf(Type)?.isStateful === true;

/** Properties whose change makes CloudFormation put another resource in the place of this one. */
export function replacingProperties(type: string): readonly string[] {
  return Object.entries(specOf(type)?.properties ?? {})
    .filter(([, { causesReplacement = 'no' }]) => causesReplacement !== 'no')
    .map(([name]) => name);
}

/** The types and properties in a template that CloudFormation does not know, and required ones that are missing. */
export function mistakesIn({ Resources }: CfnTemplate): string[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) => {
    // Made up by the CDK, which leaves it out where CloudFormation does not know it.
    if (Type === 'AWS::CDK::Metadata') return [];
    const spec = specOf(Type);
    return spec === undefined
      ? [`${id}: no type ${Type}`]
      : mistakesInObject(spec.properties, Properties, id);
  });
}

function mistakesInObject(
  known: Readonly<Record<string, Property>>,
  value: Readonly<Record<string, unknown>>,
  where: string,
): string[] {
  const missing = Object.entries(known)
    .filter(([name, { required }]) => required === true && value[name] === undefined)
    .map(([name]) => `${where}: no ${name}, which is required`);
  const wrong = Object.entries(value).flatMap(([name, member]) => {
    const property = known[name];
    return property === undefined
      ? [`${where}: no property ${name}`]
      : mistakesInValue(property.type, member, `${where}.${name}`);
  });
  return [...missing, ...wrong];
}

function mistakesInValue(type: PropertyType, value: unknown, where: string): string[] {
  if (isIntrinsic(value)) return [];
  switch (type.type) {
    case 'ref':
      return isObject(value)
        ? mistakesInObject(database.get('typeDefinition', type.reference.$ref).properties, value, where)
        : [`${where}: must be an object`];
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, at) => mistakesInValue(type.element, item, `${where}[${at}]`))
        : [`${where}: must be a list`];
    case 'map':
      return isObject(value)
        ? Object.entries(value).flatMap(([key, item]) =>
            mistakesInValue(type.element, item, `${where}.${key}`),
          )
        : [`${where}: must be a map`];
    case 'union': {
      const attempts = type.types.map((one) => mistakesInValue(one, value, where));
      return attempts.some((mistakes) => mistakes.length === 0) ? [] : (attempts[0] ?? []);
    }
    case 'string':
    case 'number':
    case 'integer':
    case 'boolean':
      return isObject(value) || Array.isArray(value) ? [`${where}: must be a ${type.type}`] : [];
    default:
      return [];
  }
}

function isIntrinsic(value: unknown): boolean {
  if (!isObject(value)) return false;
  const [only = '', ...others] = Object.keys(value);
  return others.length === 0 && (only === 'Ref' || only.startsWith('Fn::'));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
