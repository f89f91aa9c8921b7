/** HTTP APIs: routes, the authorizers before them, and the gateway's own responses, whose words are fixed. */
import { STATUS_CODES } from 'node:http';
import { LocalRunError } from '../../../errors.ts';
import type { InvokeFunction } from '../../../lambda/invoke.ts';
import { Refusal, refusalFor, refused } from '../../refusal.ts';
import type { ApiRequest } from '../../request.ts';
import type { GatewayResult } from '../../response.ts';
import { createRouter, decodeParameters, type Routable, type RouteMatch } from '../../router.ts';
import type { ServedApi } from '../../served-api.ts';
import type { ApiV2, AuthorizerV2, RouteV2 } from '../template.ts';
import { compileHttpAuthorizer, type HttpAuthorizer } from './authorizer.ts';
import { httpCallOf } from './event.ts';
import { createHttpIntegration, type HttpIntegration } from './integration.ts';
import { compileJwtAuthorizer, createJwtAuthorizer } from './jwt-authorizer.ts';

interface HttpRoute extends Routable {
  readonly routeKey: string;
  readonly authorize: HttpAuthorizer | undefined;
  readonly integration: HttpIntegration;
}

/**
 * Reads an HTTP API.
 *
 * @throws LocalRunError naming what is unknown or could not be deployed
 */
export function compileHttpApi(api: ApiV2, invoke: InvokeFunction): ServedApi {
  // One authorizer has one cache, whichever of its routes is called.
  const authorizers = new Map<string, HttpAuthorizer>();
  const authorizerOf = (authorizer: AuthorizerV2): HttpAuthorizer => {
    const compiled =
      authorizers.get(authorizer.arn) ??
      (authorizer.resource.properties.AuthorizerType === 'JWT'
        ? compileJwtAuthorizer(authorizer)
        : compileHttpAuthorizer(authorizer, invoke));
    authorizers.set(authorizer.arn, compiled);
    return compiled;
  };
  const routes = api.routes.map(
    (route): HttpRoute => ({
      ...routableOf(route),
      routeKey: route.routeKey,
      authorize: route.authorizer && authorizerOf(route.authorizer),
      integration: createHttpIntegration(route.integration, invoke),
    }),
  );
  const find = createRouter(routes.filter(({ routeKey }) => routeKey !== '$default'));
  const otherwise = routes.find(({ routeKey }) => routeKey === '$default');

  const match = ({ method, path }: ApiRequest): RouteMatch<HttpRoute> => {
    const found = find(method, path) ?? (otherwise && { route: otherwise, pathParameters: {} });
    if (found === undefined) throw new Refusal('RESOURCE_NOT_FOUND', 'Not Found');
    return found;
  };

  const resultOf = async (request: ApiRequest, tooLarge: boolean): Promise<GatewayResult> => {
    try {
      if (tooLarge) throw new Refusal('REQUEST_TOO_LARGE', 'Request Entity Too Large');
      const { route, pathParameters } = match(request);
      const call = httpCallOf(request, api, route, decodeParameters(pathParameters));
      const caller = await route.authorize?.(call);
      return { response: await route.integration(call, caller) };
    } catch (error) {
      const refusal = refusalFor(error);
      return refused(refusal, {
        status: refusal.status,
        headers: [['Content-Type', 'application/json'], ...refusal.headers],
        body: JSON.stringify({ message: STATUS_CODES[refusal.status] }),
      });
    }
  };

  const jwtAuthorizers = new Map(
    api.routes.flatMap(({ authorizer }) =>
      authorizer?.resource.properties.AuthorizerType === 'JWT' ? [[authorizer.arn, authorizer] as const] : [],
    ),
  );

  return {
    create: async () => {
      for (const authorizer of jwtAuthorizers.values()) await createJwtAuthorizer(authorizer);
    },
    respond: async (request, tooLarge) => {
      const { response, ...why } = await resultOf(request, tooLarge);
      const headers = [['Apigw-Requestid', request.requestId] as const, ...response.headers];
      return { ...why, response: { ...response, headers } };
    },
  };
}

/** `GET /orders/{id}`, `ANY /orders` or `$default`. */
function routableOf({ logicalId, routeKey }: RouteV2): Routable {
  if (routeKey === '$default') return { httpMethod: 'ANY', resourcePath: '$default' };
  const [, httpMethod, resourcePath] = /^([A-Z]+) (\/.*)$/.exec(routeKey) ?? [];
  if (httpMethod === undefined || resourcePath === undefined)
    throw new LocalRunError(
      `${logicalId}.RouteKey: ${routeKey} is neither a method and a path nor $default.`,
    );
  return { httpMethod, resourcePath };
}
