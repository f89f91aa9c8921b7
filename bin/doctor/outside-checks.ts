/** What anybody can see of a deployment: that it is there, its keys, and that it lets nobody in without a token. */
import * as v from 'valibot';
import { oldestSigningKeySeconds } from '../../functions/contracts/key-schedule.ts';
import { documentPath } from '../../functions/contracts/routes.ts';
import { TOKEN_ALGORITHM } from '../../functions/contracts/token.ts';
import { jwksSchema } from '../../functions/keys/json-web-keys.ts';
import { type Check, Problem } from '../command/check.ts';
import type { Deployment } from './deployment.ts';
import { call, type HttpResponse } from './request.ts';

const DAY_SECONDS = 86_400;

const envelope = v.object({
  code: v.number(),
  msg: v.string(),
  request_id: v.string(),
  error: v.optional(v.string()),
  data: v.optional(v.looseObject({})),
});

/** The envelope of a response. */
export type Envelope = v.InferOutput<typeof envelope>;

/** @throws Problem when a response is not in the one shape of this service's responses */
export function readEnvelope({ status, headers, body }: HttpResponse, url: string): Envelope {
  const read = v.safeParse(envelope, body);
  if (read.success && read.output.code === status) return read.output;
  const location = headers.get('location');
  throw new Problem(
    `${url} answers ${status}${location === null ? '' : ` (redirect to ${location})`}, which is no response of this service: look at what the domain points to`,
  );
}

const health = v.object({ version: v.string(), key_age_seconds: v.number() });

/** The checks, in the order in which one that fails explains the next. */
export function outsideChecks(deployment: Deployment): Check[] {
  return [
    { name: 'reachable', look: () => reachable(deployment) },
    { name: 'signing key', look: () => keyIsFresh(deployment) },
    { name: 'discovery document', look: () => discovery(deployment) },
    { name: 'public keys', look: () => publicKeys(deployment) },
    { name: 'protected routes', look: () => protectedRoutes(deployment) },
  ];
}

async function reachable({ url }: Deployment): Promise<string> {
  const { error } = readEnvelope(await call(`${url}/health`), url);
  // What is wrong behind it is for the next checks to say.
  return error === undefined ? `${url} answers` : `${url} answers, with ${error}`;
}

async function keyIsFresh({ url, stage, keyRotationDays }: Deployment): Promise<string> {
  const { error, data, request_id } = readEnvelope(await call(`${url}/health`), url);
  const rotate = `npm run rotate-keys -- ${stage === undefined ? '--key-ring <KeyRingArn> --issuer <Issuer>' : `--stage ${stage}`}`;
  if (error === 'unavailable')
    throw new Problem(
      `no key is published, or the table cannot be read (request ${request_id}): look at the logs of the rotation function and the member function, then run ${rotate}`,
    );
  const read = v.safeParse(health, data);
  if (!read.success)
    throw new Problem(
      `/health answers ${error ?? 'no key age'} (request ${request_id}): look at the log of the member function`,
    );
  const { version, key_age_seconds: age } = read.output;
  const words = `${Math.floor(age / DAY_SECONDS)} days old`;
  if (age > oldestSigningKeySeconds(keyRotationDays))
    throw new Problem(
      `it is ${words} and should have been retired after ${2 * keyRotationDays}, so the rotation fails: look at the log of the rotation function, then run ${rotate}`,
    );
  return `${words} (version ${version})`;
}

const discoveryShape = v.object({ issuer: v.string(), jwks_uri: v.string() });

async function discovery({ url, issuer: expectedIssuer }: Deployment): Promise<string> {
  const path = documentPath('discovery');
  const response = await document(url, path);
  const read = v.safeParse(discoveryShape, response.body);
  if (!read.success)
    throw new Problem(`${path} names no issuer and no jwks_uri: look at what the domain points to`);
  const { issuer, jwks_uri } = read.output;
  if (issuer !== expectedIssuer)
    throw new Problem(
      `it names the issuer ${issuer} and is served at ${expectedIssuer}, so verifiers refuse it: set customDomain (or publicUrl, where something else serves it) in lib/config.ts to what clients use, and deploy`,
    );
  const expected = issuer + documentPath('jwks');
  if (jwks_uri !== expected) throw new Problem(`its jwks_uri is ${jwks_uri}, not ${expected}: deploy again`);
  return `issuer ${issuer}`;
}

async function publicKeys({ url }: Deployment): Promise<string> {
  const path = documentPath('jwks');
  const read = v.safeParse(jwksSchema, (await document(url, path)).body);
  if (!read.success)
    throw new Problem(
      `${path} is no set of public ${TOKEN_ALGORITHM} keys: look at the log of the rotation function`,
    );
  return `${read.output.keys.length} published`;
}

async function document(url: string, path: string): Promise<HttpResponse> {
  const response = await call(url + path);
  if (response.status !== 200)
    throw new Problem(
      `${path} answers ${response.status}: ${response.status === 503 ? 'nothing is published yet, look at the log of the rotation function' : 'look at what the domain points to'}`,
    );
  const cacheControl = response.headers.get('cache-control') ?? '';
  if (!/\bpublic\b.*\bmax-age=\d+/.test(cacheControl))
    throw new Problem(
      `${path} comes with Cache-Control '${cacheControl}' instead of public, max-age=…: let the CDN or proxy before the API pass it on`,
    );
  return response;
}

/** API Gateway itself refuses a request without a token; one with a wrong token gets to the authorizer. */
async function protectedRoutes({ url }: Deployment): Promise<string> {
  const route = '/member/me';
  for (const [who, init] of [
    ['without a token', {}],
    ['with a token that is none', { headers: { authorization: 'Bearer doctor' } }],
  ] as const) {
    const { code, error, request_id } = readEnvelope(await call(url + route, init), url);
    if (error !== 'unauthorized')
      throw new Problem(
        `${route} ${who} answers ${code} ${error ?? 'ok'} instead of 401 unauthorized (request ${request_id}): look at the log of the authorizer`,
      );
  }
  return 'refuse what has no token of ours';
}
