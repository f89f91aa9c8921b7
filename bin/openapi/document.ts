/** docs/openapi.json: the contract as OpenAPI 3.1, so that a stranger needs nothing else. */
import { functionHeaders, securityHeaders } from '../../functions/contracts/response-headers.ts';
import { type Route, routes } from '../../functions/contracts/routes.ts';
import { bodyOf, envelopeOf, errorResponses, type ResponseObject, responsesOfNoRoute } from './responses.ts';
import { createSchemaWriter, exampleOf, type JsonSchema, type SchemaWriter } from './schemas.ts';
import { about, operations, synonyms, tags } from './texts.ts';

/** As far as others read it. */
export interface OpenApiDocument {
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly [kind: string]: object;
  };
  readonly [part: string]: unknown;
}

/** Names of the schemas that clients want to import; every other one stands where it is used. */
const schemaNames: Readonly<Record<string, string>> = {
  logIn: 'Login',
  refreshToken: 'Refresh',
  getProfile: 'Profile',
  changeProfile: 'Profile',
  bindPhone: 'Profile',
  unbindPhone: 'Profile',
  deleteAccount: 'Deletion',
  whoAmI: 'Caller',
  getHealth: 'Health',
  getDiscoveryDocument: 'DiscoveryDocument',
  getJwkSet: 'JwkSet',
};

const requestNames: Readonly<Record<string, string>> = {
  logIn: 'LoginRequest',
  logOut: 'LogoutRequest',
  changeProfile: 'ProfileChanges',
  bindPhone: 'PhoneRequest',
};

const acceptLanguage = {
  name: 'Accept-Language',
  in: 'header',
  description: 'English texts in `msg` where it prefers English; Chinese otherwise.',
  schema: { type: 'string' },
  example: 'en',
};

const referer = {
  name: 'Referer',
  in: 'header',
  description: 'Set by WeChat, and by nobody else: names the mini-program where the body does not.',
  schema: { type: 'string' },
  example: 'https://servicewechat.com/wx0123456789abcdef/12/page-frame.html',
};

const query = (name: string, required: boolean, description: string, example: string) => ({
  name,
  in: 'query',
  required,
  description,
  schema: { type: 'string', maxLength: 1024, ...(name === 'timestamp' && { pattern: '^\\d{10}$' }) },
  example,
});

const ofEvents = [
  {
    name: 'appid',
    in: 'path',
    required: true,
    description: 'AppID of a mini-program that is served, and whose message push is set up.',
    schema: { type: 'string' },
    example: 'wx0123456789abcdef',
  },
  query(
    'timestamp',
    true,
    'Unix seconds, no older than the time that WeChat repeats a message.',
    '1777684365',
  ),
  query('nonce', true, 'Random.', '1320562132'),
];
const signature = (required: boolean) =>
  query(
    'signature',
    required,
    'Hexadecimal SHA-1 of Token, timestamp and nonce, sorted and joined.',
    'f464b24fc39322e44b38aa78f5edd27bd1441696',
  );

function parametersOf({ operationId, auth }: Route): object[] {
  switch (operationId) {
    case 'logIn':
      return [acceptLanguage, referer];
    case 'verifyEventsUrl':
      return [
        ...ofEvents,
        signature(true),
        query('echostr', true, 'Comes back as it is.', '4375120948345356249'),
      ];
    case 'receiveEvent':
      return [
        ...ofEvents,
        signature(false),
        query(
          'msg_signature',
          false,
          'The same over the encrypted message too; instead of `signature` where messages are encrypted.',
          '046e02f8204d34f8ba5fa3b1db94908f3df2e9b3',
        ),
      ];
    default:
      return auth === 'none' ? [] : [acceptLanguage];
  }
}

function requestBodyOf(route: Route, writer: SchemaWriter, schemas: Map<string, JsonSchema>) {
  if (route.operationId === 'receiveEvent')
    return {
      required: true,
      description: 'The format is told by what the message begins with, not by `Content-Type`.',
      content: {
        'text/xml': { schema: { type: 'string' }, example: '<xml><ToUserName>…</ToUserName></xml>' },
        'application/json': {
          schema: { type: 'object' },
          example: { MsgType: 'event', Event: 'user_info_modified' },
        },
      },
    };
  if (route.request === undefined) return undefined;
  const schema = writer.request(route.operationId, route.request);
  const ref = named(schemas, requestNames[route.operationId], schema);
  const content = { schema: ref, example: requestExampleOf(schema) };
  return {
    required: (schema.required ?? []).length > 0 || schema.minProperties !== undefined,
    content: { 'application/json': content, 'application/x-www-form-urlencoded': content },
  };
}

/** The example of a request: one spelling of each member, and nothing that is for special cases. */
function requestExampleOf(schema: JsonSchema): unknown {
  const example = Object.entries(exampleOf(schema) as Record<string, unknown>);
  return Object.fromEntries(example.filter(([name]) => !synonyms.includes(name) && name !== 'restore'));
}

function named(schemas: Map<string, JsonSchema>, name: string | undefined, schema: JsonSchema): JsonSchema {
  if (name === undefined) return schema;
  schemas.set(name, schema);
  return { $ref: `#/components/schemas/${name}` };
}

function successOf(route: Route, writer: SchemaWriter, schemas: Map<string, JsonSchema>): ResponseObject {
  const schema = writer.response(route.operationId, route.response);
  const ref = named(schemas, schemaNames[route.operationId], schema);
  if ('document' in route)
    return bodyOf('application/json', ref, exampleOf(schema), {
      'Cache-Control': `public, max-age=${route.maxAgeSeconds}`,
      ...securityHeaders,
    });
  if (route.auth === 'wechat')
    return bodyOf('text/plain', schema, schema.const ?? '4375120948345356249', functionHeaders);
  return envelopeOf(ref, exampleOf(schema), functionHeaders);
}

/** A kind of component: what is the same in several places stands once, under a name and, after others of it, a number. */
function createComponents<T extends object>(kind: string) {
  const components = new Map<string, { readonly name: string; readonly component: T }>();
  return {
    reference(wanted: string, component: T): object {
      const text = JSON.stringify(component);
      const before = components.get(text);
      const like = [...components.values()].filter(
        ({ name }) => name.replace(/\.\d+$/, '') === wanted,
      ).length;
      const name = before?.name ?? (like === 0 ? wanted : `${wanted}.${like + 1}`);
      components.set(text, { name, component });
      return { $ref: `#/components/${kind}/${name}` };
    },
    all: (): Record<string, T> =>
      Object.fromEntries([...components.values()].map(({ name, component }) => [name, component])),
  };
}

/** The document. @throws Error when a text is missing, or says what nothing is */
export function openApiDocument(version: string): OpenApiDocument {
  const writer = createSchemaWriter();
  const schemas = new Map<string, JsonSchema>();
  const responses = createComponents<object>('responses');
  const headers = createComponents<object>('headers');

  /** With its headers, which every response has some of, as references. */
  const withHeaders = (response: ResponseObject): object => ({
    ...response,
    headers: Object.fromEntries(
      Object.entries(response.headers).map(([name, header]) => [name, headers.reference(name, header)]),
    ),
  });
  const errorReference = (response: ResponseObject): object => {
    const { properties } = (response.content['application/json'] as { schema: JsonSchema }).schema;
    return responses.reference(properties?.error?.enum?.join('-') ?? '', withHeaders(response));
  };

  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes as readonly Route[]) {
    const { operationId, method, path, auth } = route;
    const { tag, ...text } = operations[operationId as keyof typeof operations];
    const parameters = parametersOf(route);
    const requestBody = requestBodyOf(route, writer, schemas);
    const failures = errorResponses(route).map(([status, response]) => [status, errorReference(response)]);
    paths[path] = {
      ...paths[path],
      [method.toLowerCase()]: {
        operationId,
        tags: [tag],
        ...text,
        security: auth === 'token' ? [{ bearer: [] }, { authorization: [] }] : [],
        ...(parameters.length > 0 && { parameters }),
        ...(requestBody && { requestBody }),
        responses: { 200: withHeaders(successOf(route, writer, schemas)), ...Object.fromEntries(failures) },
      },
    };
  }
  // Whole, because linters look for the uses of a component in the paths alone.
  const ofNoRoute = responsesOfNoRoute();
  const unused = writer.unusedTexts();
  if (unused.length > 0)
    throw new Error(`Nothing is called what bin/openapi/texts.ts explains: ${unused.join()}`);

  return {
    openapi: '3.1.0',
    info: {
      title: 'wechat-login',
      version,
      summary: 'Login for WeChat mini-programs',
      description: about,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      {
        url: 'https://{host}',
        description: 'A deployment: the output `Issuer` of the stack.',
        variables: { host: { default: 'abcdef1234.execute-api.eu-west-1.amazonaws.com/v1' } },
      },
      { url: 'http://127.0.0.1:3000', description: '`npm start`' },
    ],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    'x-other-requests': {
      description:
        'A path that is not in this document gets 404, and a method that its path does not have gets 405.',
      responses: Object.fromEntries(ofNoRoute),
    },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: '`Bearer <token>`' },
        authorization: {
          type: 'apiKey',
          in: 'header',
          name: 'Authorization',
          description: 'The same token as `JWT <token>`, or bare, as some mini-programs send it.',
        },
      },
      schemas: Object.fromEntries(schemas),
      responses: responses.all(),
      headers: headers.all(),
    },
  };
}
