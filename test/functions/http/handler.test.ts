import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorCatalogue } from '../../../functions/contracts/errors.ts';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import { createHttpHandler, type RouteHandlers } from '../../../functions/http/handler.ts';
import type { LogFields } from '../../../functions/telemetry/logger.ts';
import { WechatError } from '../../../functions/wechat/errcodes.ts';
import { recordMetrics } from '../../fixtures/recorded-metrics.ts';

const event = (
  headers: Record<string, string> = {},
  [httpMethod, resource] = ['POST', '/member/login'],
): APIGatewayProxyEvent =>
  ({
    httpMethod,
    resource,
    headers,
    requestContext: { requestId: 'request-1' },
  }) as unknown as APIGatewayProxyEvent;

/** What a route resolves to is the contract's: here it does not matter. */
type Route = (event: APIGatewayProxyEvent, line: LogFields) => Promise<object | string>;
const serving = (route: Route) => ({ 'POST /member/login': route }) as unknown as RouteHandlers;

async function answer(route: Route, headers?: Record<string, string>) {
  const lines: LogFields[] = [];
  const keep = (_message: string, fields: LogFields) => lines.push(fields);
  const { metrics, calls } = recordMetrics();
  const handler = createHttpHandler(serving(route), { info: keep, error: keep }, metrics);
  const response = await handler(event(headers));
  return { response, body: JSON.parse(response.body), lines, calls };
}

describe('createHttpHandler', () => {
  it('wraps data in the envelope and logs one line', async () => {
    const { response, body, lines } = await answer(async () => ({ user_id: 'u1' }));

    expect(response.statusCode).toBe(200);
    expect(body).toEqual({ code: 200, msg: 'ok', data: { user_id: 'u1' }, request_id: 'request-1' });
    expect(lines).toEqual([
      expect.objectContaining({
        request_id: 'request-1',
        route: 'POST /member/login',
        status: 200,
        outcome: 'ok',
      }),
    ]);
  });

  it('serves HEAD like GET, without a body', async () => {
    const lines: LogFields[] = [];
    const log = { info: (_: string, fields: LogFields) => lines.push(fields), error: () => {} };
    const health = async () => ({ version: '1', key_age_seconds: 1 });
    const handler = createHttpHandler({ 'GET /health': health }, log, recordMetrics().metrics);

    const [probe, read] = [
      await handler(event({}, ['HEAD', '/health'])),
      await handler(event({}, ['GET', '/health'])),
    ];

    expect(probe).toEqual({ ...read, body: '' });
    expect(probe.statusCode).toBe(200);
    expect(lines.map(({ route }) => route)).toEqual(['HEAD /health', 'GET /health']);
    expect((await handler(event({}, ['HEAD', '/member/login']))).statusCode).toBe(404);
  });

  it.each(Object.keys(errorCatalogue) as ErrorCode[])(
    'lets nobody guess at the media type of %s or come back by http, and challenges on a 401',
    async (code) => {
      const { response } = await answer(() => Promise.reject(new DomainError(code)));

      expect(response.headers).toMatchObject({
        'Strict-Transport-Security': expect.stringMatching(/^max-age=\d{8,}$/),
        'X-Content-Type-Options': 'nosniff',
      });
      expect(response.headers?.['WWW-Authenticate'] !== undefined).toBe(response.statusCode === 401);
    },
  );

  it('says the same of a success', async () => {
    expect((await answer(async () => ({}))).response.headers).toMatchObject({
      'Strict-Transport-Security': expect.any(String),
      'X-Content-Type-Options': 'nosniff',
    });
  });

  it('adds to the line what the route has added, and what its error tells operators', async () => {
    const { lines } = await answer(async (_event, line) => {
      line.user_id = 'u1';
      throw new WechatError('wechat_misconfigured', {
        reason: 'the AppSecret is not valid',
        errcode: 40125,
        rid: '66c69111-4157f271-729ca238',
        host: 'wechat.example',
      });
    });

    expect(lines).toEqual([
      expect.objectContaining({
        outcome: 'wechat_misconfigured',
        user_id: 'u1',
        reason: 'the AppSecret is not valid',
        wechat_errcode: 40125,
        wechat_rid: '66c69111-4157f271-729ca238',
        wechat_host: 'wechat.example',
      }),
    ]);
  });

  it('counts the failures that are our own, and no other', async () => {
    const counted = async (error: Error) => (await answer(() => Promise.reject(error))).calls;

    expect((await answer(async () => ({}))).calls).toEqual([]);
    expect(await counted(new DomainError('unavailable'))).toEqual([['Failures', 'unavailable']]);
    expect(await counted(new TypeError('a bug'))).toEqual([['Failures', 'internal']]);
    for (const code of ['unauthorized', 'wechat_unavailable', 'wechat_misconfigured'] as const)
      expect(await counted(new DomainError(code)), code).toEqual([]);
  });

  it('forbids caches to keep a response, which may hold a token', async () => {
    const fail: Route = async () => {
      throw new DomainError('rate_limited', { retryAfterSeconds: 60 });
    };

    for (const route of [async () => ({ token: 't' }), fail])
      expect((await answer(route)).response.headers).toMatchObject({ 'Cache-Control': 'no-store' });
  });

  it('responds with a text as it is, which no browser may take for a page', async () => {
    const events = createHttpHandler(
      serving(async () => '<success>'),
      { info: () => {}, error: () => {} },
      recordMetrics().metrics,
    );

    expect(await events(event())).toEqual({
      statusCode: 200,
      headers: {
        'Content-Type': 'text/plain; charset=utf-8',
        'X-Content-Type-Options': 'nosniff',
        'Strict-Transport-Security': 'max-age=31536000',
        'Cache-Control': 'no-store',
      },
      body: '<success>',
    });
  });

  it('answers a domain error in Chinese, in English when asked', async () => {
    const fail: Route = async () => {
      throw new DomainError('missing_code');
    };

    expect((await answer(fail)).body).toEqual({
      code: 400,
      msg: '缺少code',
      error: 'missing_code',
      request_id: 'request-1',
    });
    expect((await answer(fail, { 'accept-language': 'en' })).body.msg).toBe('code is missing');
  });

  it('says how long to wait where waiting helps: what the error says, else what the catalogue says', async () => {
    const headersOf = async (error: DomainError) =>
      (await answer(() => Promise.reject(error))).response.headers;

    expect(await headersOf(new DomainError('rate_limited', { retryAfterSeconds: 60 }))).toMatchObject({
      'Retry-After': '60',
    });
    expect(await headersOf(new DomainError('unavailable'))).toMatchObject({ 'Retry-After': '2' });
    expect(await headersOf(new DomainError('unauthorized'))).not.toHaveProperty('Retry-After');
  });

  it('responds to a bug with internal, and logs where it was thrown but not its message', async () => {
    const { response, body, lines } = await answer(async () => {
      throw new TypeError('cannot read code 0verysecret');
    });

    expect(response.statusCode).toBe(500);
    expect(body).toMatchObject({ code: 500, error: 'internal' });
    expect(lines[0]).toMatchObject({
      outcome: 'internal',
      cause: 'TypeError',
      stack: expect.stringContaining(' at '),
    });
    expect(JSON.stringify([lines, response])).not.toContain('verysecret');
  });

  it('answers a route that it does not know as not_found', async () => {
    const handler = createHttpHandler({}, { info: () => {}, error: () => {} }, recordMetrics().metrics);

    expect((await handler(event())).statusCode).toBe(404);
  });
});
