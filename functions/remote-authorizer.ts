/**
 * Lambda entry: the authorizer's copy for other teams' accounts. It needs no permission and no table, only the
 * issuer's public keys, so a token that was revoked passes it until it expires.
 */
import { setTimeout } from 'node:timers/promises';
import { createDecide } from './authorizer/decide.ts';
import { createAuthorizer } from './authorizer/handler.ts';
import { readEnvironment } from './contracts/environment.ts';
import { loadJwksFromUrl } from './keys/published-at-url.ts';
import { createKeySource } from './keys/verification-keys.ts';
import { log } from './telemetry/logger.ts';
import { createTokenVerifier, rehearseVerifying } from './tokens/verify.ts';

/** Longest that INIT waits for the keys; the first request waits for the rest. */
const WARM_UP_MS = 1_500;

const environment = readEnvironment('remote-authorizer');
const keys = createKeySource({ load: () => loadJwksFromUrl(environment.JWKS_URL), now: Date.now });

const verifier = createTokenVerifier({
  keys,
  issuer: environment.TOKEN_ISSUER,
  audience: environment.TOKEN_AUDIENCE,
  now: Date.now,
});

export const handler = createAuthorizer({
  decide: createDecide({ verifier, allowedAppids: environment.ALLOWED_APPIDS }),
  log,
  httpResponse: environment.HTTP_RESPONSE,
  cacheTtlSeconds: environment.CACHE_TTL_SECONDS,
  now: Date.now,
});

const rehearsal = keys.warm().then(([kid = '']) => rehearseVerifying(verifier, kid));
await Promise.race([rehearsal.catch(() => {}), setTimeout(WARM_UP_MS, undefined, { ref: false })]);
