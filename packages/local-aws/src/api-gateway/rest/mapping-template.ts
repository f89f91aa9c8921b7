/**
 * Renders the mapping templates of integrations with a Velocity engine, as API Gateway does. An expression that the
 * engine cannot resolve stays in its text and is refused there.
 *
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
 */
import { Compile, parse } from 'velocityjs';
import { LocalRunError, unsupported } from '../../errors.ts';
import { isJsonObject, type Json, type JsonObject, memberAt } from '../../json.ts';
import { contextVariable } from '../context-variables.ts';

/** What a rendered template says: its text, and what it sets in `$context.responseOverride`. */
interface Rendering {
  readonly text: string;
  /** Replaces the status of the integration response. */
  readonly status?: number;
  /** Replace headers of the integration response, or are added to them. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A template that can be rendered.
 *
 * @param body what `$input` reads: the request's body, or what the integration gave
 * @throws LocalRunError naming the first expression that is not known
 */
export type MappingTemplate = (context: JsonObject, body: string) => Rendering;

/** What the engine would ignore without a trace. */
const swallowed =
  /#(?:parse|include|evaluate|define)\b|\$context\.(?:requestOverride|responseOverride\.(?!status\b|header\.)\w+)/;

/**
 * Reads a template.
 *
 * @param where named in messages
 * @throws LocalRunError when it is no Velocity template, or sets what is not known
 */
export function compileTemplate(text: string, where: string): MappingTemplate {
  refuse(swallowed.exec(text)?.[0], where);
  const tree = parsed(text, where);
  return (context, body) => {
    const override: { status?: unknown; header: Record<string, unknown> } = { header: {} };
    const rendered = new Compile(tree, { escape: false }).render({
      context: { ...withTexts(context), responseOverride: override },
      input: { path: (path: string) => valueAt(body, path, where) },
      util: { escapeJavaScript },
    });
    refuse(/[$#][!{]*[A-Za-z][\w.]*/.exec(rendered)?.[0], where);
    return {
      text: unmasked(rendered),
      ...(override.status !== undefined && { status: Number(override.status) }),
      headers: Object.fromEntries(
        Object.entries(override.header).map(([name, value]) => [name, unmasked(String(value))]),
      ),
    };
  };
}

function refuse(expression: string | undefined, where: string): void {
  if (expression !== undefined) throw unsupported(where, `the expression ${expression}`);
}

function parsed(text: string, where: string): ReturnType<typeof parse> {
  try {
    return parse(text);
  } catch (cause) {
    throw new LocalRunError(`${where}: this is no Velocity template.`, { cause });
  }
}

/** Data passes the engine with other characters for `$` and `#`, so that what is left of those is the template's. */
const masks = [
  ['$', '\ue000'],
  ['#', '\ue001'],
] as const;

const masked = (text: string): string =>
  masks.reduce((at, [sign, mask]) => at.replaceAll(sign, () => mask), text);

const unmasked = (text: string): string =>
  masks.reduce((at, [sign, mask]) => at.replaceAll(mask, () => sign), text);

/** `$context` with a text wherever the gateway knows no value, which is how API Gateway renders it. */
function withTexts(context: JsonObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context).map(([name, value]) => [
      name,
      isJsonObject(value) ? withTexts(value) : masked(contextVariable(context, name)),
    ]),
  );
}

/** `$input.path`: the value at a JSONPath of plain members; empty when there is none. */
function valueAt(body: string, path: string, where: string): string | number | boolean {
  const [, members] = /^\$((?:\.\w+)+)$/.exec(path) ?? [];
  if (members === undefined) throw unsupported(where, `the path ${path}`);
  const value = memberAt(JSON.parse(body) as Json, members.slice(1).split('.'));
  if (value === undefined || value === null) return '';
  if (typeof value === 'object') throw unsupported(where, `the path ${path} to an object or a list`);
  return typeof value === 'string' ? masked(value) : value;
}

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#util-template-reference */
function escapeJavaScript(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll("'", "\\'").replaceAll('/', '\\/');
}
