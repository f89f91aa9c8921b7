import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../../../functions/errors/domain-error.ts';
import {
  type AnsweredRequest,
  createHttpHandler,
  type RouteHandler,
} from '../../../functions/http/handler.ts';
import type { LogFields } from '../../../functions/telemetry/logger.ts';

const event = (headers: Record<string, string> = {}): APIGatewayProxyEvent =>
  ({
    httpMethod: 'POST',
    resource: '/member/login',
    headers,
    requestContext: { requestId: 'request-1' },
  }) as unknown as APIGatewayProxyEvent;

async function answer(route: RouteHandler, headers?: Record<string, string>) {
  const lines: LogFields[] = [];
  const keep = (_message: string, fields: LogFields) => lines.push(fields);
  const observed: AnsweredRequest[] = [];
  const handler = createHttpHandler({ 'POST /member/login': route }, { info: keep, error: keep }, [
    (request) => observed.push(request),
  ]);
  const response = await handler(event(headers));
  return { response, body: JSON.parse(response.body), lines, observed };
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

  it('tells its observers the same as the log', async () => {
    const ok = await answer(async (_event, trace) => {
      trace.user_id = 'u1';
      return {};
    });
    const failed = await answer(async () => {
      throw new DomainError('unavailable');
    });

    const route = 'POST /member/login';
    expect(ok.observed).toMatchObject([{ route, status: 200, outcome: 'ok', trace: { user_id: 'u1' } }]);
    expect(failed.observed).toMatchObject([{ route, status: 503, outcome: 'unavailable' }]);
    expect(ok.observed[0]?.durationMs).toBe(ok.lines[0]?.duration_ms);
  });

  it('lets nobody keep an answer, which may hold a token', async () => {
    const fail: RouteHandler = async () => {
      throw new DomainError('rate_limited', { retryAfterSeconds: 60 });
    };

    for (const route of [async () => ({ token: 't' }), fail])
      expect((await answer(route)).response.headers).toMatchObject({ 'Cache-Control': 'no-store' });
  });

  it('answers a domain error in Chinese, in English when asked', async () => {
    const fail: RouteHandler = async () => {
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

  it('says how long to wait where waiting helps', async () => {
    const { response } = await answer(async () => {
      throw new DomainError('rate_limited', { retryAfterSeconds: 60 });
    });

    expect(response).toMatchObject({ statusCode: 429, headers: { 'Retry-After': '60' } });
  });

  it('answers a bug as internal and logs where it was thrown, not what it said', async () => {
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
    const handler = createHttpHandler({}, { info: () => {}, error: () => {} }, []);

    expect((await handler(event())).statusCode).toBe(404);
  });
});
