/** Makes sure that a cached decision belongs to the token it was made on. */

/** What an HTTP API tells about the key of its cache: an array in payload 2.0, joined with commas in 1.0. */
export interface IdentitySources {
  readonly identitySource?: readonly string[] | string | null;
}

/**
 * Hands the token on if it is part of what the API keys its cache by. Keyed by anything else, the decision
 * on one member would hold for another.
 *
 * @throws Error when the API has identity sources and the token is in none of them: the API is misconfigured
 */
export function checkIdentitySource(token: string, { identitySource }: IdentitySources): string {
  const values = [identitySource ?? []].flat();
  // All forms of a token end with it. Looking for it anywhere would take time in the product of the two lengths.
  const parts = values.flatMap((value) => value.split(','));
  if (values.length > 0 && !parts.some((part) => part.endsWith(token)))
    throw new Error('The identity source is not the Authorization header');
  return token;
}
