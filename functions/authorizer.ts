/**
 * Lambda entry: the authorizer of our REST API, and of other teams' APIs that share it. Its role may read the users
 * table and can see no private key.
 */
import { setTimeout } from 'node:timers/promises';
import { createDecide } from './authorizer/decide.ts';
import { createAuthorizer } from './authorizer/handler.ts';
import { createDocumentClient } from './aws/clients.ts';
import { readEnvironment } from './contracts/environment.ts';
import { loadJwksFromTable } from './keys/published-in-table.ts';
import { createKeySource } from './keys/verification-keys.ts';
import { log } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createRevocations } from './tokens/revocations.ts';
import { createTokenVerifier, rehearseVerifying } from './tokens/verify.ts';

/** Longest that INIT waits for the keys; the first request waits for the rest. */
const WARM_UP_MS = 1_000;

const environment = readEnvironment('authorizer');
const table = { client: createDocumentClient(), tableName: environment.TABLE_NAME };
const keys = createKeySource({ load: () => loadJwksFromTable(table), now: Date.now });

const revocations = environment.CHECK_REVOCATION ? createRevocations({ ...table, now: Date.now }) : undefined;
const verifier = createTokenVerifier({
  keys,
  issuer: environment.TOKEN_ISSUER,
  audience: environment.TOKEN_AUDIENCE,
  now: Date.now,
});

export const handler = createAuthorizer({
  decide: createDecide({ verifier, revocations }),
  log,
  metrics: createMetrics(log),
  httpResponse: 'simple',
  // A token may be revoked at any time, so where it can be said here, no decision is kept.
  cacheTtlSeconds: 0,
  now: Date.now,
});

// INIT has a full CPU whatever the memory: credentials, the TLS connection and the keys cost the first user nothing.
await Promise.race([
  Promise.allSettled([
    keys.warm().then(([kid = '']) => rehearseVerifying(verifier, kid)),
    revocations?.statusOf({ loginId: 'init', userId: 'init', authTime: 0 }),
  ]),
  setTimeout(WARM_UP_MS, undefined, { ref: false }),
]);
