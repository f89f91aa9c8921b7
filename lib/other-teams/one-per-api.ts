/**
 * An authorizer of API Gateway belongs to one API, and CDK's constructs for HTTP and WebSocket APIs leave it to their
 * user to remember that: one of them refuses a second API, another attaches the wrong authorizer to it without a word.
 */

/** What CDK's authorizers for routes have in common. */
interface RouteAuthorizer<Options, Config> {
  bind(options: Options): Config;
}

/** An authorizer for the routes of any API: the first route of each API makes one, the others get the same. */
export function onePerApi<Options, Config>(
  apiOf: (options: Options) => { readonly apiId: string },
  create: () => RouteAuthorizer<Options, Config>,
): RouteAuthorizer<Options, Config> {
  const authorizers = new Map<string, RouteAuthorizer<Options, Config>>();
  return {
    bind(options) {
      const { apiId } = apiOf(options);
      const authorizer = authorizers.get(apiId) ?? create();
      authorizers.set(apiId, authorizer);
      return authorizer.bind(options);
    },
  };
}
