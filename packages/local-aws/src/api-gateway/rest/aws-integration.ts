/** The AWS service integration: a method that calls DynamoDB, with templates for request and response. */

import { unsupported } from '../../errors.ts';
import type { ServiceEndpoints } from '../../lambda/functions.ts';
import { REGION } from '../../template/account.ts';
import type { Integration } from '../call.ts';
import { Refusal } from '../refusal.ts';
import {
  compileIntegrationResponses,
  compileRequestTemplates,
  type MappedMethod,
} from './mapped-integration.ts';

/** An integration with an AWS service as the template sets it up. */
interface AwsIntegration extends MappedMethod {
  /** Logical id of the role it acts as. */
  readonly role: string;
  readonly timeoutMs: number;
  readonly endpoints: ServiceEndpoints;
}

/** @throws LocalRunError naming what the integration uses that is unknown */
export function createAwsIntegration(method: AwsIntegration): Integration {
  const { logicalId, integration, role, timeoutMs, endpoints } = method;
  const action = /^arn:[^:]+:apigateway:[^:]+:dynamodb:action\/(\w+)$/.exec(String(integration.Uri))?.[1];
  if (action === undefined || endpoints.dynamodb === undefined)
    throw unsupported(`${logicalId}.Integration.Uri`, 'a service other than DynamoDB');
  const endpoint = endpoints.dynamodb;
  const toIntegrationRequest = compileRequestTemplates(method);
  const toResponse = compileIntegrationResponses(method);
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDB_20120810.${action}`,
    // Date and signature are not checked; the key id says whose role is.
    'x-amz-date': '20260101T000000Z',
    authorization: `AWS4-HMAC-SHA256 Credential=${role}/20260101/${REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=local`,
  };
  return async (call) => {
    const body = toIntegrationRequest(call);
    const signal = AbortSignal.timeout(timeoutMs);
    let result: { selector: string; body: string };
    try {
      const response = await fetch(endpoint, { method: 'POST', headers, body, signal });
      result = { selector: String(response.status), body: await response.text() };
    } catch {
      if (signal.aborted) throw new Refusal('INTEGRATION_TIMEOUT', 'Endpoint request timed out');
      throw new Refusal('INTEGRATION_FAILURE', 'Internal server error');
    }
    return toResponse(result, call);
  };
}
