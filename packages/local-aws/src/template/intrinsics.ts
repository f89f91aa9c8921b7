/** Resolves a template's intrinsic functions the way CloudFormation would, with the names that resources have here. */
import { LocalRunError, unsupported } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject, memberAt } from '../json.ts';
import { ACCOUNT_ID, arnOf, REGION } from './account.ts';
import type { Template } from './assembly.ts';
import { namingOf, type PhysicalNames } from './physical-names.ts';

/** A resource with its properties resolved. */
export interface ResolvedResource {
  readonly logicalId: string;
  readonly properties: JsonObject;
}

/** Resolves a template's expressions. */
export interface Resolver {
  readonly template: Template;
  /** The names of a resource. @throws LocalRunError for an unknown logical id */
  names(logicalId: string): PhysicalNames;
  /** Resolves a value; `where` is named in the message when it cannot be. @throws LocalRunError */
  resolve(value: Json, where: string): Json;
  /** All resources of a type, properties resolved. @throws LocalRunError */
  resourcesOf(type: string): readonly ResolvedResource[];
}

/** The value that makes CloudFormation drop a property. */
const NO_VALUE = Symbol('AWS::NoValue');
type Resolved = Json | typeof NO_VALUE;

/** What a template is given from outside. */
interface ResolverInputs {
  /** Values of its parameters; a parameter without one has its default. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** The value of an SSM parameter; undefined when there is none. */
  readonly ssmValue?: (name: string) => string | undefined;
}

/**
 * Creates a resolver, after making sure that every resource type of the template is known.
 *
 * @throws LocalRunError naming the first resource of an unknown type
 */
export function createResolver(
  template: Template,
  { parameters = {}, ssmValue = () => undefined }: ResolverInputs = {},
): Resolver {
  const known = new Map<string, PhysicalNames>();
  const beingNamed = new Set<string>();

  const pseudoParameters: Readonly<Record<string, Resolved>> = {
    'AWS::AccountId': ACCOUNT_ID,
    'AWS::NoValue': NO_VALUE,
    'AWS::Partition': 'aws',
    'AWS::Region': REGION,
    'AWS::StackId': arnOf('cloudformation', `stack/${template.stackName}/local`),
    'AWS::StackName': template.stackName,
    'AWS::URLSuffix': 'amazonaws.com',
  };

  const names = (logicalId: string, where = logicalId): PhysicalNames => {
    const held = known.get(logicalId);
    if (held !== undefined) return held;
    const resource = own(template.resources, logicalId);
    if (resource === undefined)
      throw new LocalRunError(`${where}: the template has no resource or parameter named ${logicalId}.`);
    const nameIt = namingOf(resource.Type);
    if (nameIt === undefined) throw unsupported(logicalId, `resource type ${resource.Type}`);
    if (beingNamed.has(logicalId))
      throw new LocalRunError(`${where}: the name of ${logicalId} refers to itself.`);
    beingNamed.add(logicalId);
    const result = nameIt({
      stackName: template.stackName,
      logicalId,
      text: (property) => {
        const value = resource.Properties?.[property];
        if (value === undefined) return undefined;
        const resolved = resolveAny(value, `${logicalId}.${property}`);
        return resolved === NO_VALUE ? undefined : asText(resolved, `${logicalId}.${property}`);
      },
    });
    beingNamed.delete(logicalId);
    known.set(logicalId, result);
    return result;
  };

  const ref = (name: string, where: string): Resolved => {
    const fixed = own(pseudoParameters, name);
    if (fixed !== undefined) return fixed;
    const parameter = own(template.parameters, name);
    if (parameter === undefined) return names(name, where).ref;
    const value = own(parameters, name) ?? parameter.Default;
    if (value === undefined)
      throw new LocalRunError(`${where}: the template parameter ${name} needs a value.`);
    if (parameter.Type === 'AWS::SSM::Parameter::Value<String>') {
      const stored = ssmValue(String(value));
      if (stored !== undefined) return stored;
      throw new LocalRunError(`${where}: there is no SSM parameter ${value} (parameter ${name}).`);
    }
    if (parameter.Type.startsWith('AWS::SSM::'))
      throw unsupported(where, `parameter ${name} of type ${parameter.Type}`);
    return /^(CommaDelimitedList|List<)/.test(parameter.Type) ? String(value).split(',') : String(value);
  };

  const attribute = (logicalId: string, name: string, where: string): Json => {
    const value = own(names(logicalId, where).attributes, name);
    if (value === undefined)
      throw unsupported(where, `attribute ${name} of ${logicalId} (${template.resources[logicalId]?.Type})`);
    return value;
  };

  const substitute = (text: string, variables: JsonObject, where: string): string =>
    text.replace(/\$\{([^}]+)\}/g, (_, expression: string) => {
      if (expression.startsWith('!')) return `\${${expression.slice(1)}}`;
      const given = own(variables, expression);
      if (given !== undefined) return asText(resolveAny(given, where), where);
      const dot = expression.indexOf('.');
      return asText(
        dot < 0
          ? ref(expression, where)
          : attribute(expression.slice(0, dot), expression.slice(dot + 1), where),
        where,
      );
    });

  /** Each function gets its argument, mostly unresolved, and returns its value. */
  const functions: Readonly<Record<string, (argument: Json, where: string) => Resolved>> = {
    Ref: (argument, where) => ref(asText(argument, where), where),
    'Fn::GetAtt': (argument, where) => {
      const [logicalId = '', ...name] =
        typeof argument === 'string' ? argument.split('.') : asList(argument, where);
      return attribute(
        asText(logicalId, where),
        name.map((part) => asText(resolveAny(part, where), where)).join('.'),
        where,
      );
    },
    'Fn::Join': (argument, where) => {
      const [separator = '', parts = []] = asList(argument, where);
      return asList(resolveAny(parts, where), where)
        .map((part) => asText(part, where))
        .join(asText(separator, where));
    },
    'Fn::Sub': (argument, where) => {
      const [text = '', variables = {}] = typeof argument === 'string' ? [argument] : asList(argument, where);
      return substitute(asText(text, where), isJsonObject(variables) ? variables : {}, where);
    },
    'Fn::Select': (argument, where) => {
      const [index = '', list = []] = asList(argument, where);
      const chosen = asList(resolveAny(list, where), where)[Number(resolveAny(index, where))];
      if (chosen === undefined)
        throw new LocalRunError(`${where}: Fn::Select finds nothing at ${JSON.stringify(index)}.`);
      return chosen;
    },
    'Fn::Split': (argument, where) => {
      const [separator = '', text = ''] = asList(argument, where);
      return asText(resolveAny(text, where), where).split(asText(separator, where));
    },
    'Fn::FindInMap': (argument, where) => {
      const keys = asList(resolveAny(argument, where), where).map((key) => asText(key, where));
      const found = memberAt(template.mappings, keys);
      if (found === undefined)
        throw new LocalRunError(`${where}: Fn::FindInMap finds nothing at ${keys.join(', ')}.`);
      return found;
    },
    'Fn::GetAZs': (argument, where) => {
      const region = asText(resolveAny(argument, where), where) || REGION;
      if (region !== REGION) throw unsupported(where, `Fn::GetAZs of ${region}, which is another region,`);
      return ['a', 'b', 'c'].map((zone) => `${region}${zone}`);
    },
  };

  const resolveAny = (value: Json, where: string): Resolved => {
    if (typeof value === 'string') {
      if (value.includes('{{resolve:')) throw unsupported(where, 'a dynamic reference ({{resolve:…}})');
      return value;
    }
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value))
      return value
        .map((item: Json, at) => resolveAny(item, `${where}[${at}]`))
        .filter((item) => item !== NO_VALUE);
    const entries = Object.entries(value as JsonObject);
    const [only] = entries;
    if (entries.length === 1 && only !== undefined && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
      const evaluate = own(functions, only[0]);
      if (evaluate === undefined) throw unsupported(where, `function ${only[0]}`);
      return evaluate(only[1], where);
    }
    return Object.fromEntries(
      entries
        .map(([key, item]): [string, Resolved] => [key, resolveAny(item, `${where}.${key}`)])
        .filter((entry): entry is [string, Json] => entry[1] !== NO_VALUE),
    );
  };

  const resolve = (value: Json, where: string): Json => {
    const resolved = resolveAny(value, where);
    return resolved === NO_VALUE ? null : resolved;
  };

  for (const [logicalId, resource] of Object.entries(template.resources)) {
    // A resource whose condition does not hold would not exist.
    if (Object.hasOwn(resource, 'Condition')) throw unsupported(logicalId, 'a condition');
    names(logicalId);
  }

  return {
    template,
    names,
    resolve,
    resourcesOf: (type) =>
      Object.entries(template.resources)
        .filter(([, resource]) => resource.Type === type)
        .map(([logicalId, { Properties = {} }]) => {
          const properties = resolve(Properties, logicalId);
          return { logicalId, properties: isJsonObject(properties) ? properties : {} };
        }),
  };
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function asText(value: Resolved | undefined, where: string): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  throw new LocalRunError(`${where}: expected text, found ${JSON.stringify(value) ?? 'nothing'}.`);
}

function asList(value: Resolved, where: string): readonly Json[] {
  if (Array.isArray(value)) return value;
  throw new LocalRunError(`${where}: expected a list, found ${JSON.stringify(value) ?? 'nothing'}.`);
}
