/** How each route may end, as responses of OpenAPI: one for each status, with its errors, headers and texts. */
import { bothTexts, DENIAL_TEXT, type ErrorCode, errorCatalogue } from '../../functions/contracts/errors.ts';
import { ruleEntry } from '../../functions/contracts/http/request-rules.ts';
import { errorHeaders } from '../../functions/contracts/response-headers.ts';
import {
  errorsAnywhere,
  errorsOf,
  errorsOfNoRoute,
  type Route,
  tokenErrors,
} from '../../functions/contracts/routes.ts';
import type { JsonSchema } from './schemas.ts';

/** A response object. */
export interface ResponseObject {
  readonly description: string;
  readonly headers: Readonly<Record<string, HeaderObject>>;
  readonly content: Readonly<Record<string, object>>;
}

interface HeaderObject {
  readonly description?: string;
  /** Whether every response of this status has it. */
  readonly required: boolean;
  readonly schema: object;
}

const REQUEST_ID = '7f0c2a51-9d3e-4b8a-b6de-3c1f5a20e9d4';
const requestId = { type: 'string', description: 'Leads to the log line of the request.' };

const headerTexts: Readonly<Record<string, string>> = {
  'Retry-After': 'Seconds to wait.',
  'WWW-Authenticate': 'What opens the route.',
  'x-amzn-Remapped-WWW-Authenticate':
    'What opens the route: API Gateway renames `WWW-Authenticate` of functions.',
  Allow: 'The methods that the path has.',
};

/** Headers of one status out of those of each of its errors. */
function headerObjects(each: readonly Readonly<Record<string, string>>[]): Record<string, HeaderObject> {
  const names = [...new Set(each.flatMap((headers) => Object.keys(headers)))];
  return Object.fromEntries(
    names.map((name) => {
      const values = [...new Set(each.flatMap((headers) => headers[name] ?? []))];
      const schema =
        name === 'Retry-After'
          ? { type: 'integer', minimum: 1, examples: values.map(Number) }
          : name === 'Allow'
            ? { type: 'string', examples: values }
            : { type: 'string', enum: values };
      const description = headerTexts[name];
      return [
        name,
        {
          ...(description !== undefined && { description }),
          required: each.every((headers) => name in headers),
          schema,
        },
      ];
    }),
  );
}

/** A success: the envelope around `data`. */
export function envelopeOf(
  data: JsonSchema,
  example: unknown,
  headers: Readonly<Record<string, string>>,
): ResponseObject {
  const schema = {
    type: 'object',
    properties: {
      code: { const: 200 },
      msg: { const: 'ok' },
      data,
      request_id: requestId,
    },
    required: ['code', 'msg', 'data', 'request_id'],
    additionalProperties: false,
  };
  return bodyOf(
    'application/json',
    schema,
    { code: 200, msg: 'ok', data: example, request_id: REQUEST_ID },
    headers,
  );
}

/** A success without envelope. */
export function bodyOf(
  mediaType: string,
  schema: object,
  example: unknown,
  headers: Readonly<Record<string, string>>,
): ResponseObject {
  return {
    description: 'Done.',
    headers: headerObjects([headers]),
    content: { [mediaType]: { schema, example } },
  };
}

/** Who sends an error decides on its texts, and on the name of a header. */
type Sender = 'function' | 'gateway';

/** Who may send an error on a route. */
function sendersOf(route: Route, error: ErrorCode): readonly Sender[] {
  if ('document' in route) return ['gateway'];
  if ((errorsAnywhere as readonly ErrorCode[]).includes(error)) {
    const isOfFunction = errorsOf(route).includes(error) || error === 'internal' || error === 'unavailable';
    return isOfFunction ? ['function', 'gateway'] : ['gateway'];
  }
  const isOfToken = route.auth === 'token' && (tokenErrors as readonly ErrorCode[]).includes(error);
  return [isOfToken ? 'gateway' : 'function'];
}

/** The texts in `msg`, by name. */
function textsOf(error: ErrorCode, sender: Sender, rules: Route['rules'] = []): Record<string, string> {
  if (sender === 'gateway') {
    const isDenial = error === 'token_revoked' || error === 'user_banned';
    return { [`${error}_both`]: isDenial ? DENIAL_TEXT : bothTexts(error) };
  }
  const { zh, en } = errorCatalogue[error];
  const broken = rules.map((rule) => [rule, ruleEntry(rule)] as const);
  const details = broken.flatMap(([rule, { error: itsError, detail }]) =>
    itsError === error && detail !== undefined
      ? [
          [`${error}_${rule}_zh`, `${zh}：${detail.zh}`],
          [`${error}_${rule}_en`, `${en}: ${detail.en}`],
        ]
      : [],
  );
  return { [`${error}_zh`]: zh, [`${error}_en`]: en, ...Object.fromEntries(details) };
}

function headersOf(error: ErrorCode, sender: Sender): Readonly<Record<string, string>> {
  const { 'WWW-Authenticate': challenge, ...others } = errorHeaders(error);
  if (challenge === undefined) return others;
  const name = sender === 'gateway' ? 'WWW-Authenticate' : 'x-amzn-Remapped-WWW-Authenticate';
  return { ...others, [name]: challenge };
}

/** The responses to a route's errors, by status. */
export function errorResponses(route: Route): readonly (readonly [status: number, ResponseObject])[] {
  const errors = [...new Set([...errorsOf(route), ...errorsAnywhere])];
  const byStatus = Map.groupBy(errors, (error) => errorCatalogue[error].status);
  return [...byStatus]
    .sort(([one], [other]) => one - other)
    .map(([status, ofStatus]) => {
      const sent = ofStatus.flatMap((error) =>
        sendersOf(route, error).map((sender) => [error, sender] as const),
      );
      const texts = sent.flatMap(([error, sender]) =>
        Object.entries(textsOf(error, sender, route.rules)).map(([name, msg]) => [name, error, msg] as const),
      );
      const headers = sent.map(([error, sender]) => headersOf(error, sender));
      return [status, errorResponse(status, texts, headers)];
    });
}

/** The responses to requests that are for no route. */
export const responsesOfNoRoute = (): readonly (readonly [status: number, ResponseObject])[] =>
  errorsOfNoRoute.map((error) => {
    const { status } = errorCatalogue[error];
    const allow = error === 'method_not_allowed' ? { Allow: 'GET, HEAD' } : {};
    return [
      status,
      errorResponse(status, [[error, error, bothTexts(error)]], [{ ...errorHeaders(error), ...allow }]),
    ];
  });

function errorResponse(
  status: number,
  texts: readonly (readonly [name: string, error: ErrorCode, msg: string])[],
  headers: readonly Readonly<Record<string, string>>[],
): ResponseObject {
  const errors = [...new Set(texts.map(([, error]) => error))];
  const schema = {
    type: 'object',
    properties: {
      code: { const: status },
      msg: { type: 'string', description: 'For people; may be reworded.' },
      error: { enum: errors },
      request_id: requestId,
    },
    required: ['code', 'msg', 'error', 'request_id'],
    additionalProperties: false,
  };
  const examples = texts.map(([name, error, msg]) => [
    name,
    { value: { code: status, msg, error, request_id: REQUEST_ID } },
  ]);
  return {
    description: errors.map((error) => `\`${error}\`: ${errorCatalogue[error].en}.`).join(' '),
    headers: headerObjects(headers),
    content: { 'application/json': { schema, examples: Object.fromEntries(examples) } },
  };
}
