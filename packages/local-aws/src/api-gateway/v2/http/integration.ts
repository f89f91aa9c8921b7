/** The Lambda proxy integration of HTTP APIs: format 2.0 infers what a function leaves unsaid. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */

import { isJsonObject, type Json } from '../../../json.ts';
import type { InvokeFunction } from '../../../lambda/invoke.ts';
import { readProxyResponse } from '../../lambda-proxy.ts';
import { Refusal } from '../../refusal.ts';
import type { ApiResponse } from '../../response.ts';
import { withinMs } from '../../within.ts';
import type { IntegrationV2 } from '../template.ts';
import { type Caller, type HttpCall, integrationEvent } from './event.ts';

/** Responds to a call. @throws Refusal when the gateway has to respond instead */
export type HttpIntegration = (call: HttpCall, caller: Caller | undefined) => Promise<ApiResponse>;

/** What a response is unless the function says otherwise. */
const DEFAULT_MEDIA_TYPE = 'text/plain;charset=UTF-8';

export function createHttpIntegration(integration: IntegrationV2, invoke: InvokeFunction): HttpIntegration {
  const { functionArn, payloadFormatVersion, timeoutMs } = integration;
  return async (call, caller) => {
    const event = integrationEvent(call, payloadFormatVersion, caller);
    const invocation = await withinMs(invoke(functionArn, event, sourceArnOf(call)), timeoutMs);
    if (invocation === undefined)
      throw new Refusal('INTEGRATION_TIMEOUT', 'Service Unavailable', { status: 503 });
    const returned = invocation.ok ? (JSON.parse(invocation.payload) as Json) : undefined;
    const response =
      returned === undefined
        ? undefined
        : payloadFormatVersion === '2.0'
          ? responseV2(returned)
          : responseV1(returned);
    // A function that throws and one that returns nonsense look the same to the client.
    if (response === undefined) throw new Refusal('DEFAULT_5XX', 'Internal Server Error');
    return response;
  };
}

function sourceArnOf({ api, request, resourcePath }: HttpCall): string {
  return resourcePath === '$default'
    ? `${api.stageArn}/$default`
    : `${api.stageArn}/${request.method}${resourcePath}`;
}

function responseV1(returned: Json): ApiResponse | undefined {
  if (!isJsonObject(returned) || returned.statusCode === undefined) return undefined;
  return readProxyResponse(returned, DEFAULT_MEDIA_TYPE, true);
}

/** A response without a status code is the body of a 200: text as it is, everything else as JSON. */
function responseV2(returned: Json): ApiResponse | undefined {
  if (!isJsonObject(returned) || returned.statusCode === undefined) {
    const body = typeof returned === 'string' ? returned : JSON.stringify(returned);
    return { status: 200, headers: [['Content-Type', 'application/json']], body };
  }
  const { statusCode, headers = {}, body = '', isBase64Encoded = false, cookies = [] } = returned;
  if (!Array.isArray(cookies) || !isJsonObject(headers)) return undefined;
  return readProxyResponse(
    {
      statusCode,
      headers,
      body,
      isBase64Encoded,
      multiValueHeaders: cookies.length === 0 ? {} : { 'Set-Cookie': cookies },
    },
    DEFAULT_MEDIA_TYPE,
    true,
  );
}
