/**
 * Renders the mapping templates of integrations with a Velocity engine, as API Gateway does. The engine is complete;
 * the variables and functions around it are those the stack uses, and anything else is refused before it is run.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
 */
import { Compile, parse } from 'velocityjs';
import { LocalRunError, unsupported } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../template/assembly.ts';
import { checkContextVariable, contextVariable } from '../context-variables.ts';

/** What a rendered template says: its text, and what it sets in `$context.responseOverride`. */
export interface Rendering {
  readonly text: string;
  /** Replaces the status of the integration response. */
  readonly status?: number;
  /** Replace headers of the integration response, or are added to them. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A checked template.
 *
 * @param body what `$input` reads: the request's body, or what the integration answered
 */
export type MappingTemplate = (context: JsonObject, body: string) => Rendering;

/** The part of the engine's syntax tree that templates here are made of. */
interface Node {
  readonly type: string;
  readonly id?: string;
  readonly value?: unknown;
  readonly isEval?: boolean;
  readonly path?: readonly PathStep[];
  readonly equal?: readonly [Node, Node];
  readonly condition?: Node;
  readonly expression?: readonly Node[];
  readonly operator?: string;
}

interface PathStep {
  readonly type: string;
  readonly id: unknown;
  readonly args?: readonly Node[] | false;
}

type Tree = readonly (string | Node | Tree)[];

const OPERATORS = ['&&', '||', '!', '==', '!='];

/**
 * Checks a template.
 *
 * @param where named in the message when the template uses something unknown
 * @throws LocalRunError naming the expression
 */
export function compileTemplate(text: string, where: string): MappingTemplate {
  const tree = parsed(text, where);
  checkTree(tree, { where, variables: new Set() });
  return (context, body) => {
    const override: { status?: unknown; header: Record<string, unknown> } = { header: {} };
    const rendered = new Compile(tree as never, { escape: false }).render({
      context: { ...withTexts(context), responseOverride: override },
      input: { path: (path: string) => valueAt(body, path, where) },
      util: { escapeJavaScript },
    });
    return {
      text: rendered,
      ...(override.status !== undefined && { status: Number(override.status) }),
      headers: Object.fromEntries(
        Object.entries(override.header).map(([name, value]) => [name, String(value)]),
      ),
    };
  };
}

function parsed(text: string, where: string): Tree {
  try {
    return parse(text) as unknown as Tree;
  } catch (cause) {
    throw new LocalRunError(`${where}: this is no Velocity template.`, { cause });
  }
}

interface Check {
  readonly where: string;
  /** Names that an earlier `#set` has given a value. */
  readonly variables: Set<string>;
}

function checkTree(tree: Tree, check: Check): void {
  for (const node of tree) {
    if (Array.isArray(node)) checkTree(node, check);
    else if (typeof node !== 'string') checkNode(node as Node, check);
  }
}

function checkNode(node: Node, check: Check): void {
  switch (node.type) {
    case 'integer':
    case 'bool':
    case 'else':
    case 'comment':
      return;
    case 'string':
      if (node.isEval && /[$#]/.test(String(node.value)))
        throw unsupported(check.where, `the text ${JSON.stringify(node.value)} with variables in it`);
      return;
    case 'if':
    case 'elseif':
      if (node.condition !== undefined) checkNode(node.condition, check);
      return;
    case 'math':
      if (!OPERATORS.includes(node.operator ?? ''))
        throw unsupported(check.where, `the operator ${node.operator}`);
      for (const operand of node.expression ?? []) checkNode(operand, check);
      return;
    case 'set':
      checkAssignment(node, check);
      return;
    case 'references':
      checkReference(node, check);
      return;
    default:
      throw unsupported(check.where, `#${node.id ?? node.type}`);
  }
}

function checkAssignment({ equal }: Node, check: Check): void {
  const [target, value] = equal ?? [];
  if (target === undefined || value === undefined) return;
  checkNode(value, check);
  const name = nameOf(target);
  if (target.path === undefined && !['context', 'input', 'util'].includes(name)) check.variables.add(name);
  else if (!/^context\.responseOverride\.(status|header\.[\w-]+)$/.test(name))
    throw unsupported(check.where, `setting $${name}`);
}

function checkReference(node: Node, check: Check): void {
  const name = nameOf(node);
  if (check.variables.has(name)) return;
  const [step, ...more] = node.path ?? [];
  if (node.id === 'context') {
    checkContextVariable(name.replace(/^context\./, ''), check.where);
    return;
  }
  const args = step?.type === 'method' && more.length === 0 && step.args ? step.args : [];
  const [argument] = args;
  if (argument === undefined || args.length > 1 || !['input.path', 'util.escapeJavaScript'].includes(name))
    throw unsupported(check.where, `the expression $${name}`);
  checkNode(argument, check);
}

function nameOf({ id, path = [] }: Node): string {
  return [id, ...path.map((step) => String(step.id))].join('.');
}

/** `$context` with a text wherever the gateway knows no value, which is how API Gateway renders it. */
function withTexts(context: JsonObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context).map(([name, value]) => [
      name,
      isJsonObject(value) ? withTexts(value) : contextVariable(context, name),
    ]),
  );
}

/** `$input.path`: the value at a JSONPath of plain members; empty when there is none. */
function valueAt(body: string, path: string, where: string): string | number | boolean {
  const [, members] = /^\$((?:\.\w+)+)$/.exec(path) ?? [];
  if (members === undefined) throw unsupported(where, `the path ${path}`);
  const value = members
    .slice(1)
    .split('.')
    .reduce<Json | undefined>(
      (at, key) => (isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined),
      JSON.parse(body) as Json,
    );
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') throw unsupported(where, `the path ${path} to an object or a list`);
  return value;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#util-template-reference */
function escapeJavaScript(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll("'", "\\'").replaceAll('/', '\\/');
}
