/** Serves a REST API: routing, authorizer, integration, gateway responses. */

import type { JsonObject } from '../../json.ts';
import { ACCOUNT_ID } from '../../template/account.ts';
import { denialOf } from '../authorizers/policy-authorizer.ts';
import type { MethodCall } from '../call.ts';
import { Refusal, refusalFor, refused } from '../refusal.ts';
import { type ApiRequest, requestContextOf, valuesOf } from '../request.ts';
import type { GatewayResult } from '../response.ts';
import { createRouter, decodeParameters, type RouteMatch } from '../router.ts';
import type { ServedApi } from '../served-api.ts';
import type { RestApi } from './api.ts';
import type { ApiMethod } from './method.ts';

/** The API, to be put behind a gateway. */
export function serveRestApi(api: RestApi): ServedApi {
  const route = createRouter(api.methods);
  const resultOf = async (request: ApiRequest, tooLarge: boolean): Promise<GatewayResult> => {
    const match = route(request.method, request.path);
    let context = requestContextOf(request, {
      accountId: ACCOUNT_ID,
      apiId: api.id,
      stage: api.stage,
      resourceId: match?.route.resourceId ?? '',
      resourcePath: match?.route.resourcePath ?? '',
    });
    try {
      if (tooLarge) throw new Refusal('REQUEST_TOO_LARGE', 'Request Too Long');
      if (match === undefined) throw withoutMethod(request);
      const call: MethodCall = {
        request,
        context,
        pathParameters: decodeParameters(match.pathParameters),
        stageVariables: api.stageVariables,
      };
      const authorized = await authorize(api, match, call);
      context = authorized.context;
      if (authorized.denied !== undefined) throw authorized.denied;
      return { response: await match.route.integration({ ...call, context }) };
    } catch (error) {
      const refusal = refusalFor(error);
      return refused(refusal, api.refuse(refusal, request, context));
    }
  };
  return {
    respond: async (request, tooLarge) => {
      const result = await resultOf(request, tooLarge);
      const ids = [
        ['x-amzn-RequestId', request.requestId],
        ['x-amz-apigw-id', request.extendedRequestId],
      ] as const;
      return { ...result, response: { ...result.response, headers: [...ids, ...result.response.headers] } };
    },
  };
}

/**
 * The refusal of a request that no method is for. API Gateway takes a header `Authorization` for a signature of AWS; which
 * gateway response words that is not documented.
 */
function withoutMethod({ headers }: ApiRequest): Refusal {
  const [authorization] = valuesOf(headers, 'authorization');
  if (authorization === undefined)
    return new Refusal('MISSING_AUTHENTICATION_TOKEN', 'Missing Authentication Token');
  const text = 'Invalid key=value pair (missing equal-sign) in Authorization header';
  return new Refusal('DEFAULT_4XX', text, { status: 403 });
}

/** The context with what the authorizer says about the caller, and the refusal when it does not allow the call. */
async function authorize(
  api: RestApi,
  { route: method }: RouteMatch<ApiMethod>,
  call: MethodCall,
): Promise<{ context: JsonObject; denied?: Refusal }> {
  if (method.authorizer === undefined) return { context: call.context };
  const { request } = call;
  const methodArn = `${api.stageArn}/${request.method}${request.path}`;
  const { decision, authorizer } = await method.authorizer(call, methodArn, method.resourcePath);
  const context = { ...call.context, authorizer };
  if (decision === 'allow') return { context };
  return { context, denied: denialOf(decision) };
}
