/** Every API of a template, of whatever kind. */

import type { ServiceEndpoints } from '../lambda/functions.ts';
import type { InvokeFunction } from '../lambda/invoke.ts';
import type { Resolver } from '../template/intrinsics.ts';
import { compileRestApi } from './rest/api.ts';
import { serveRestApi } from './rest/serve.ts';
import type { ServedApi } from './served-api.ts';
import { compileHttpApi } from './v2/http/api.ts';
import { readApisV2 } from './v2/template.ts';
import { compileWebSocketApi } from './v2/web-socket/api.ts';

/** An API that a gateway can serve. */
export interface TemplateApi {
  readonly logicalId: string;
  readonly protocol: 'REST' | 'HTTP' | 'WEBSOCKET';
  readonly served: ServedApi;
}

/**
 * Reads the template's APIs: a REST API first, then the others in the template's order.
 *
 * @throws LocalRunError when there is none or more than one REST API, or one uses what is not known
 */
export function compileApis(
  resolver: Resolver,
  invoke: InvokeFunction,
  endpoints: ServiceEndpoints,
): readonly TemplateApi[] {
  const others = readApisV2(resolver).map((api): TemplateApi => {
    const compile = api.protocol === 'HTTP' ? compileHttpApi : compileWebSocketApi;
    return { logicalId: api.logicalId, protocol: api.protocol, served: compile(api, invoke) };
  });
  if (others.length > 0 && resolver.resourcesOf('AWS::ApiGateway::RestApi').length === 0) return others;
  const rest = compileRestApi(resolver, invoke, endpoints);
  return [{ logicalId: rest.logicalId, protocol: 'REST', served: serveRestApi(rest) }, ...others];
}
