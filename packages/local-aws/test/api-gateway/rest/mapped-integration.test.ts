import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/json.ts';
import { apiWith, gatewayResponse, serveApi } from '../../fixtures/assembly.ts';

const mock = (integration: Record<string, Json>) => ({
  Integration: { Type: 'MOCK', ...integration },
  MethodResponses: [
    { StatusCode: '200', ResponseParameters: { 'method.response.header.X-Id': true } },
    { StatusCode: '405', ResponseParameters: { 'method.response.header.Allow': true } },
  ],
});

const unsupportedMediaType = gatewayResponse('UNSUPPORTED_MEDIA_TYPE', {
  ResponseTemplates: { 'application/json': '{"type":"$context.error.responseType"}' },
});

describe('a mock integration', () => {
  test('responds with what the integration response of its status says', async () => {
    const { url } = await serveApi(
      apiWith({
        'ANY /a': mock({
          RequestTemplates: { 'application/json': '{"statusCode": 405}' },
          IntegrationResponses: [
            { StatusCode: '200', SelectionPattern: '2\\d\\d' },
            {
              StatusCode: '405',
              SelectionPattern: '405',
              ResponseParameters: { 'method.response.header.Allow': "'GET, POST'" },
              ResponseTemplates: {
                'application/json': '{"id":"$context.requestId","q":"$util.escapeJavaScript($context.path)"}',
              },
            },
          ],
        }),
      }),
    );

    const response = await fetch(`${url}/a`, { method: 'DELETE' });

    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ id: response.headers.get('x-amzn-requestid'), q: '/a' });
  });

  test('fails with 500 when no response matches, or the template names no status', async () => {
    const { url } = await serveApi(
      apiWith({
        'GET /unmatched': mock({
          RequestTemplates: { 'application/json': '{"statusCode": 200}' },
          IntegrationResponses: [{ StatusCode: '200', SelectionPattern: '20' }],
        }),
        'GET /statusless': mock({ IntegrationResponses: [{ StatusCode: '200' }] }),
      }),
    );

    expect((await fetch(`${url}/unmatched`)).status).toBe(500);
    expect((await fetch(`${url}/statusless`)).status).toBe(500);
  });

  test.each([
    ['NEVER', 'application/json', 200],
    ['NEVER', 'APPLICATION/JSON; charset=utf-8', 200],
    ['NEVER', 'text/plain', 415],
    ['WHEN_NO_TEMPLATES', 'text/plain', 415],
    ['WHEN_NO_MATCH', 'text/plain', 200],
  ])('with %s responds to a %s body with %i', async (behavior, type, status) => {
    const { url } = await serveApi({
      ...apiWith({
        'POST /a': mock({
          PassthroughBehavior: behavior,
          RequestTemplates: { 'application/json': '{"statusCode": 200}' },
          IntegrationResponses: [{ StatusCode: '200' }],
        }),
      }),
      Words: unsupportedMediaType,
    });

    const response = await fetch(`${url}/a`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body: '{"statusCode": 200}',
    });

    expect(response.status).toBe(status);
    if (status === 415) expect(await response.json()).toEqual({ type: 'UNSUPPORTED_MEDIA_TYPE' });
  });
});
