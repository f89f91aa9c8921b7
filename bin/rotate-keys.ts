/**
 * `npm run rotate-keys`: rotates the signing keys now, and with `--drop` takes compromised keys out of use.
 *
 * It only requests: a tag on the secret names the keys to drop, and the rotation function, which alone may write the key
 * ring, obeys it in this and every later rotation. So it may be interrupted and repeated at any time.
 */
import { setTimeout } from 'node:timers/promises';
import {
  DescribeSecretCommand,
  InvalidRequestException,
  RotateSecretCommand,
  type SecretsManagerClient,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { DROP_KEY_TAG, SIGNER_REFRESH_SECONDS } from '../functions/contracts/key-schedule.ts';
import { documentPath } from '../functions/contracts/routes.ts';
import type { RunState } from '../local/console/run-state.ts';
import { defineCommand, type Io, print, runIfMain } from './command/command.ts';
import { stageValue } from './command/deployment.ts';
import { CommandError, UsageError } from './command/errors.ts';
import { findLocalRun } from './command/local-run.ts';
import type { Given } from './command/options.ts';
import { localSecretsManager, secretsManagerFor } from './command/secret.ts';

const USAGE = `Usage: npm run rotate-keys -- --stage <stage> [--drop=<kid> | --drop=all]
       npm run rotate-keys -- --key-ring <KeyRingArn> --issuer <Issuer> [--drop=<kid> | --drop=all]
       npm run rotate-keys -- --local [--drop=<kid> | --drop=all]
Rotates the signing keys now; --drop takes a compromised key out of use, and may be given several times. --local is the
run of npm start, where the next key counts as old enough.`;

/** Longest that this waits for the rotation, milliseconds. */
const GIVE_UP_AFTER_MS = 180_000;

/** A rotation that has not ended after this long is started again, which takes up a failed one. */
const START_AGAIN_AFTER_MS = 15_000;

const LOOK_EVERY_MS = 1_000;

const text = { type: 'string' } as const;
const options = {
  stage: text,
  'key-ring': text,
  issuer: text,
  local: { type: 'boolean' },
  drop: { ...text, multiple: true },
} as const;
type Values = Given<typeof options>['values'];

interface Target {
  readonly client: SecretsManagerClient;
  readonly keyRingArn: string;
  readonly issuer: string;
}

interface Request extends Target {
  /** Key ids, or every published one. */
  readonly drop: readonly string[] | 'all';
}

async function readRequest(values: Values, env: NodeJS.ProcessEnv): Promise<Request> {
  const { drop = [] } = values;
  if (!drop.every((kid) => kid === 'all' || /^[\w-]{43}$/.test(kid)))
    throw new UsageError(`--drop must be all, or a key id: take it from <Issuer>${documentPath('jwks')}.`);
  return { ...(await readTarget(values, env)), drop: drop.includes('all') ? 'all' : drop };
}

async function readTarget(values: Values, env: NodeJS.ProcessEnv): Promise<Target> {
  const { stage, 'key-ring': keyRingArn, issuer, local } = values;
  if (local && stage === undefined && keyRingArn === undefined && issuer === undefined)
    return localTarget(env);
  if (stage !== undefined && !local && keyRingArn === undefined && issuer === undefined) {
    const stageRing = await stageValue(stage, 'key-ring-arn');
    return {
      client: secretsManagerFor(stageRing),
      keyRingArn: stageRing,
      issuer: await stageValue(stage, 'issuer'),
    };
  }
  if (stage !== undefined || local || keyRingArn === undefined || issuer === undefined)
    throw new UsageError('Say which keys: --stage, or both of --key-ring and --issuer, or --local.');
  if (!/^https?:\/\//.test(issuer)) throw new UsageError('--issuer must be an http(s) URL.');
  return { client: secretsManagerFor(keyRingArn), keyRingArn, issuer };
}

/** A rehearsal cannot wait for half a day. */
async function localTarget(env: NodeJS.ProcessEnv): Promise<Target> {
  const run = await findLocalRun(env);
  const { addresses } = await run.call<RunState>('state');
  await run.call('age-keys');
  return {
    client: localSecretsManager(addresses.secretsManager),
    keyRingArn: addresses.keyRingArn,
    issuer: addresses.url,
  };
}

/** What the issuer publishes. A domain that is down must not keep a compromised key in use. */
interface Published {
  /** Key ids; the first is that of the key that signs. Undefined while they cannot be read. */
  readonly kids?: readonly string[];
  /** In words what happened instead. */
  readonly instead: string;
}

async function publishedKeys(issuer: string): Promise<Published> {
  try {
    const response = await fetch(issuer + documentPath('jwks'), {
      headers: { 'cache-control': 'no-cache' },
      signal: AbortSignal.timeout(5_000),
    });
    if (!response.ok) return { instead: `answers ${response.status} for its public keys` };
    const { keys } = (await response.json()) as { keys: { kid: string }[] };
    return { kids: keys.map(({ kid }) => kid), instead: '' };
  } catch {
    return { instead: 'does not answer for its public keys' };
  }
}

/** Starts a rotation; undefined while an earlier one has not ended, which the service then takes up again. */
async function startRotation(client: SecretsManagerClient, SecretId: string): Promise<string | undefined> {
  try {
    return (await client.send(new RotateSecretCommand({ SecretId }))).VersionId;
  } catch (error) {
    if (error instanceof InvalidRequestException) return undefined;
    throw error;
  }
}

/** Tags the secret with the keys to drop; resolves to their ids. */
async function tagKeysToDrop(
  client: SecretsManagerClient,
  { keyRingArn: SecretId, issuer, drop }: Request,
  { kids: published, instead }: Published,
  { stdout }: Io,
): Promise<readonly string[]> {
  const dropped = drop === 'all' ? published : drop;
  if (dropped === undefined)
    throw new CommandError(`${issuer} ${instead}: name those to drop, as --drop=<kid>`);
  if (dropped.length === 0) return dropped;
  const Tags = dropped.map((kid) => ({ Key: DROP_KEY_TAG + kid, Value: new Date().toISOString() }));
  await client.send(new TagResourceCommand({ SecretId, Tags }));
  print(stdout, `To be dropped: ${dropped.join(', ')}`);
  // Not an error: this may be the repetition of a command that was interrupted after it had taken effect.
  const absent = dropped.filter((kid) => published?.includes(kid) === false);
  if (absent.length > 0) print(stdout, `Not published, or not any more: ${absent.join(', ')}`);
  return dropped;
}

/** How far rotations have come. */
interface Progress {
  /** Id of the secret's current version. */
  readonly current: string | undefined;
  /** Whether a rotation has begun and not ended. */
  readonly underWay: boolean;
  readonly published: Published;
}

async function look(
  client: SecretsManagerClient,
  { keyRingArn: SecretId, issuer }: Request,
): Promise<Progress> {
  const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
  const versions = Object.entries(VersionIdsToStages);
  return {
    current: versions.find(([, stages]) => stages.includes('AWSCURRENT'))?.[0],
    underWay: versions.some(([, stages]) => stages.includes('AWSPENDING') && !stages.includes('AWSCURRENT')),
    published: await publishedKeys(issuer),
  };
}

/** Rotates until a rotation of ours has ended and no dropped key is published; resolves to what is published then. */
async function rotateUntilGone(
  client: SecretsManagerClient,
  request: Request,
  dropped: readonly string[],
): Promise<Published> {
  const giveUpAt = performance.now() + GIVE_UP_AFTER_MS;
  let version: string | undefined;
  let startAgainAt = 0;
  while (performance.now() < giveUpAt) {
    const { current, underWay, published } = await look(client, request);
    const idle = !underWay && (version === undefined || version === current);
    if (idle && version !== undefined && !published.kids?.some((kid) => dropped.includes(kid)))
      return published;
    if (idle || performance.now() >= startAgainAt) {
      version = (await startRotation(client, request.keyRingArn)) ?? version;
      startAgainAt = performance.now() + START_AGAIN_AFTER_MS;
    }
    await setTimeout(LOOK_EVERY_MS);
  }
  throw new CommandError(
    'The rotation has not ended: look at the log of the rotation function, and run this again.',
  );
}

export const run = defineCommand({
  usage: USAGE,
  options,
  body: async ({ values }, io) => {
    const request = await readRequest(values, io.env);
    const { client } = request;
    const before = await publishedKeys(request.issuer);
    const dropped = await tagKeysToDrop(client, request, before, io);
    const { kids: after, instead } = await rotateUntilGone(client, request, dropped);
    if (after === undefined)
      throw new CommandError(
        `Rotated, but ${request.issuer} ${instead}: look at them once it publishes them.`,
      );
    print(io.stdout, `Published now: ${after.join(', ')}`);
    print(
      io.stdout,
      `${after[0] === before.kids?.[0] ? 'Still signing' : 'Signing from now on'}: ${after[0]}`,
    );
    if (dropped.length > 0)
      print(
        io.stdout,
        `Running functions follow within ${SIGNER_REFRESH_SECONDS} seconds of their next request.`,
      );
    return 0;
  },
});

await runIfMain(import.meta, run);
