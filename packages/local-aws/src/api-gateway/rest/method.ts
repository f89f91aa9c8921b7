/** A method of a REST API: what protects it and what responds to it. */
import type { Authorizer } from '../authorizers/policy-authorizer.ts';
import type { Integration } from '../call.ts';
import type { Routable } from '../router.ts';

/** A method of a resource. */
export interface ApiMethod extends Routable {
  readonly resourceId: string;
  readonly authorizer: Authorizer | undefined;
  readonly integration: Integration;
}
