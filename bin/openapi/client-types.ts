/** packages/mini-program/src/api-types.ts: what the client reads and sends, as plain types out of the document. */
import { errorCatalogue } from '../../functions/contracts/errors.ts';
import type { JsonSchema } from './schemas.ts';
import { synonyms } from './texts.ts';

type Schemas = Readonly<Record<string, JsonSchema>>;

/** The file's text, formatted as Biome would. */
export function clientTypes(schemas: Schemas): string {
  const typed = (name: string, schema: string, comment: string): string => {
    const written = schemas[schema];
    if (written === undefined) throw new Error(`The document has no schema ${schema}`);
    return `${commentOf(comment, '')}\nexport ${declarationOf(name, written)}\n`;
  };
  const codes = Object.keys(errorCatalogue).map((code) => `  | '${code}'`);
  return [
    '/** What the login service responds, as plain types: `npm run openapi` makes them of its contract. */\n',
    `/** Why the service refused, as \`error\` in the response. */\nexport type ApiErrorCode =\n${codes.join('\n')};\n`,
    envelope('ApiSuccess', 'A success of the service.', 'data: unknown'),
    envelope('ApiFailure', 'A refusal by the service.', 'error: ApiErrorCode'),
    typed(
      'ProfileChanges',
      'ProfileChanges',
      'What a new user starts with, and what a member may change; `""` clears.',
    ),
    typed('Profile', 'Profile', "A member's profile."),
    typed('LoginAnswer', 'Login', '`POST /member/login`'),
    typed('RefreshAnswer', 'Refresh', '`POST /member/refresh`'),
    typed('DeletionAnswer', 'Deletion', '`DELETE /member/me`: the account is erased, or will be.'),
  ].join('\n');
}

const envelope = (name: string, comment: string, member: string): string =>
  `/** ${comment} */
export interface ${name} {
  readonly code: number;
  readonly msg: string;
  readonly ${member};
  readonly request_id: string;
}
`;

/** An interface; of alternatives a type, each of which lacks what the others have. */
function declarationOf(name: string, schema: JsonSchema): string {
  if (schema.anyOf === undefined) return `interface ${name} ${membersOf(schema)}`;
  const names = schema.anyOf.flatMap(({ properties = {} }) => Object.keys(properties));
  const alternatives = schema.anyOf.map((each) =>
    membersOf(
      each,
      names.filter((other) => !(other in (each.properties ?? {}))),
    ).replaceAll('\n', '\n    '),
  );
  return `type ${name} =\n  | ${alternatives.join('\n  | ')};`;
}

function membersOf({ properties = {}, required = [] }: JsonSchema, absent: readonly string[] = []): string {
  const members = Object.entries(properties)
    .filter(([name]) => !synonyms.includes(name))
    .map(([name, member]) => {
      const mark = required.includes(name) ? '' : '?';
      return `${commentOf(member.description ?? '', '  ')}\n  readonly ${name}${mark}: ${typeOf(member, mark === '?')};\n`;
    });
  return `{\n${[...members, ...absent.map((name) => `  readonly ${name}?: never;\n`)].join('')}}`;
}

/** @param mayBeLeftOut so that a client needs neither null nor the words of a form */
function typeOf(schema: JsonSchema, mayBeLeftOut: boolean): string {
  const { type, enum: values, anyOf } = schema;
  if ('const' in schema) return literalOf(schema.const);
  if (values !== undefined) {
    const numbers = values.filter((value) => typeof value === 'number');
    return (mayBeLeftOut && numbers.length > 0 ? numbers : values).map(literalOf).join(' | ');
  }
  if (anyOf !== undefined)
    return anyOf
      .filter((each) => !(mayBeLeftOut && each.type === 'null'))
      .map((each) => typeOf(each, mayBeLeftOut))
      .join(' | ');
  if (type === 'integer') return 'number';
  if (type === 'string' || type === 'boolean' || type === 'number' || type === 'null') return type;
  throw new Error(`The client has no type for ${JSON.stringify(schema)}`);
}

const literalOf = (value: unknown): string =>
  typeof value === 'string' ? `'${value}'` : JSON.stringify(value);

/** A comment of lines that fit. */
function commentOf(text: string, indent: string): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || `${indent} * ${line} ${word}`.length > 110) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  if (lines.length === 1) return `${indent}/** ${lines[0]} */`;
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`].join('\n');
}
