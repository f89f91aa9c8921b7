/**
 * Rotates the key ring in the four steps of a Secrets Manager rotation function, so that at every moment every
 * key that may sign has been public for long enough. Each step may be repeated or cut off anywhere.
 *
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
 */
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { type Clock, unixSeconds } from '../contracts/clock.ts';
import { DROP_KEY_TAG } from '../contracts/key-schedule.ts';
import { createTokenMinter } from '../tokens/mint.ts';
import { createTokenVerifier } from '../tokens/verify.ts';
import {
  type CreateKey,
  createKeyRing,
  dropKeys,
  type KeyRing,
  parseKeyRing,
  promote,
  publicJwks,
  retiresTooEarly,
  usesKey,
  withoutRetired,
} from './key-ring.ts';
import {
  type JwksTable,
  loadJwksFromTable,
  type Publication,
  publishJwks,
  readPublished,
} from './published-in-table.ts';
import { importSigningKey } from './signing-key.ts';
import { createKeySource } from './verification-keys.ts';

/** What Secrets Manager sends for each step. */
export interface RotationEvent {
  readonly Step: string;
  readonly SecretId: string;
  readonly ClientRequestToken: string;
}

/** What a step did, safe to log. */
export interface RotationReport {
  readonly step: string;
  readonly outcome:
    | 'created_first_ring'
    | 'promoted'
    | 'dropped_keys'
    | 'kept_next_is_too_young'
    | 'kept_too_many_keys'
    | 'published'
    | 'tested'
    | 'finished'
    | 'already_done';
  /** Key ids, which are public. */
  readonly current?: string;
  readonly next?: string;
  readonly public_keys?: number;
}

interface RotationOptions {
  readonly secrets: SecretsManagerClient;
  readonly keyRingArn: string;
  readonly table: JwksTable;
  readonly now: Clock;
  /** Default: a new RSA-2048 key. */
  readonly createKey?: CreateKey;
}

/** What a step has read before anything else: it acts on this, and gives up where it has become too old. */
interface Found {
  /** Ids of keys that an operator has declared compromised. */
  readonly dropped: ReadonlySet<string>;
  readonly published: string | undefined;
}

/** Issuer and audience of the token that only tests a ring: no verifier of ours or of others accepts them. */
const SELF_TEST = 'urn:wechat-login:key-ring-self-test';

/**
 * Creates the function that performs one step.
 *
 * The function throws when a step cannot be done now; Secrets Manager then repeats the rotation.
 */
export function createRotation(options: RotationOptions): (event: RotationEvent) => Promise<RotationReport> {
  const { secrets, keyRingArn, table, now, createKey } = options;

  /**
   * The set is published before the ring is stored, because `published_at` in the ring promises just that. If
   * the store fails, the set holds one key too many that nobody owns, until the repeated step publishes again.
   */
  async function createSecret(event: RotationEvent, found: Found): Promise<RotationReport> {
    const { SecretId, ClientRequestToken } = event;
    const step = 'createSecret';
    const pending = await readRing(secrets, { SecretId, VersionId: ClientRequestToken });
    if (pending !== undefined) return { step, outcome: 'already_done', ...summary(pending) };

    const current = await readRing(secrets, { SecretId, VersionStage: 'AWSCURRENT' });
    const { ring, outcome } = await nextRing(current, found.dropped);
    await publishJwks(table, publicationOf(ring), found.published);
    try {
      await secrets.send(
        new PutSecretValueCommand({
          SecretId,
          ClientRequestToken,
          SecretString: JSON.stringify(ring),
          VersionStages: ['AWSPENDING'],
        }),
      );
    } catch (error) {
      // A twin of this step stored its ring first: that one counts.
      if (error instanceof ResourceExistsException)
        return setSecret(event, { ...found, published: JSON.stringify(publicJwks(ring)) });
      throw error;
    }
    return { step, outcome, ...summary(ring) };
  }

  /** A rotation that drops a key that signs or will sign does nothing else; retired keys are dropped by any rotation. */
  async function nextRing(
    current: KeyRing | undefined,
    dropped: Found['dropped'],
  ): Promise<{ ring: KeyRing; outcome: RotationReport['outcome'] }> {
    if (current === undefined)
      return { ring: await createKeyRing(unixSeconds(now), createKey), outcome: 'created_first_ring' };
    if (usesKey(current, dropped))
      return { ring: await dropKeys(current, unixSeconds(now), dropped, createKey), outcome: 'dropped_keys' };
    const { ring, kept } = await promote(withoutRetired(current, dropped), unixSeconds(now), createKey);
    return { ring, outcome: kept === undefined ? 'promoted' : `kept_${kept}` };
  }

  async function setSecret(event: RotationEvent, { dropped, published }: Found): Promise<RotationReport> {
    const ring = withoutRetired(await readPendingRing(secrets, event), dropped);
    await publishJwks(table, publicationOf(ring), published);
    return { step: 'setSecret', outcome: 'published', ...summary(ring) };
  }

  /** Signs with the key that is about to sign and verifies through what is published, as any verifier would. */
  async function testSecret(event: RotationEvent, { dropped }: Found): Promise<RotationReport> {
    const ring = withoutRetired(await readPendingRing(secrets, event), dropped);
    const published = await loadJwksFromTable(table);
    if (JSON.stringify(published) !== JSON.stringify(publicJwks(ring)))
      throw new Error('The published JWK Set is not that of the new key ring');
    const self = { issuer: SELF_TEST, audience: SELF_TEST, now };
    const keys = createKeySource({ load: async () => published, now });
    const verifier = createTokenVerifier({ ...self, keys });
    for (const key of [ring.current, ring.next]) {
      const signingKey = () => importSigningKey(key);
      const minter = createTokenMinter({ ...self, signingKey, lifetimeSeconds: 60 });
      const { token } = await minter.mint({ userId: 'self-test', appid: 'self-test' });
      await verifier.verify(token);
    }
    return { step: 'testSecret', outcome: 'tested', ...summary(ring) };
  }

  /**
   * A version's value cannot be changed. So a pending ring is given up when an operator has dropped one of its keys
   * since, or when it comes so late that its times are wrong; the next rotation makes another one.
   */
  async function abandonIfUnsound(event: RotationEvent, { dropped }: Found): Promise<void> {
    const { SecretId, ClientRequestToken } = event;
    const pending = await readRing(secrets, { SecretId, VersionId: ClientRequestToken });
    if (pending === undefined) return;
    const why = usesKey(pending, dropped) ? 'held a key that was dropped' : await lateness(pending, SecretId);
    if (why === undefined) return;
    await leavePending(event);
    throw new Error(`The pending key ring ${why}; it is given up: rotate again`);
  }

  async function lateness(pending: KeyRing, SecretId: string): Promise<string | undefined> {
    const signing = await readRing(secrets, { SecretId, VersionStage: 'AWSCURRENT' });
    const late = signing !== undefined && retiresTooEarly(pending, signing, unixSeconds(now));
    return late ? 'was made too long ago' : undefined;
  }

  async function leavePending({ SecretId, ClientRequestToken }: RotationEvent): Promise<void> {
    await secrets.send(
      new UpdateSecretVersionStageCommand({
        SecretId,
        VersionStage: 'AWSPENDING',
        RemoveFromVersionId: ClientRequestToken,
      }),
    );
  }

  async function finishSecret(event: RotationEvent, current: string | undefined): Promise<RotationReport> {
    const { SecretId, ClientRequestToken } = event;
    if (current !== ClientRequestToken) {
      await readPendingRing(secrets, event);
      await secrets.send(
        new UpdateSecretVersionStageCommand({
          SecretId,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: ClientRequestToken,
          ...(current === undefined ? {} : { RemoveFromVersionId: current }),
        }),
      );
    }
    // If it stayed, and somebody later made another version current, the next rotation would complete this one. Sources
    // disagree on whether it goes with the move.
    const { VersionIdsToStages: versions = {} } = await secrets.send(new DescribeSecretCommand({ SecretId }));
    if (versions[ClientRequestToken]?.includes('AWSPENDING')) await leavePending(event);
    return { step: 'finishSecret', outcome: 'finished' };
  }

  return async (event) => {
    const { Step: step, SecretId, ClientRequestToken } = event;
    if (SecretId !== keyRingArn) throw new Error('This function rotates the key ring and no other secret');
    const published = await readPublished(table);
    const description = await secrets.send(new DescribeSecretCommand({ SecretId }));
    const { VersionIdsToStages: versions = {}, Tags: tags = [] } = description;
    const dropped = new Set(
      tags.flatMap(({ Key = '' }) => (Key.startsWith(DROP_KEY_TAG) ? [Key.slice(DROP_KEY_TAG.length)] : [])),
    );
    const found: Found = { dropped, published };
    const current = Object.keys(versions).find((id) => versions[id]?.includes('AWSCURRENT'));
    const isCurrent = current === ClientRequestToken;
    const isPending = versions[ClientRequestToken]?.includes('AWSPENDING') ?? false;
    if (isCurrent && !(isPending && step === 'finishSecret')) return { step, outcome: 'already_done' };
    // A late repetition of an earlier rotation must not publish or activate an old ring.
    if (!isPending) throw new Error('This version of the secret is not being rotated');
    if (!isCurrent) await abandonIfUnsound(event, found);
    switch (step) {
      case 'createSecret':
        return createSecret(event, found);
      case 'setSecret':
        return setSecret(event, found);
      case 'testSecret':
        return testSecret(event, found);
      case 'finishSecret':
        return finishSecret(event, current);
      default:
        throw new Error('This is no step of a Secrets Manager rotation');
    }
  };
}

/** The ring in one version of the secret, or `undefined` while the version or its value does not exist. */
async function readRing(
  secrets: SecretsManagerClient,
  version: { SecretId: string; VersionId?: string; VersionStage?: string },
): Promise<KeyRing | undefined> {
  try {
    const { SecretString } = await secrets.send(new GetSecretValueCommand(version));
    return parseKeyRing(SecretString);
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function readPendingRing(
  secrets: SecretsManagerClient,
  { SecretId, ClientRequestToken }: RotationEvent,
): Promise<KeyRing> {
  const ring = await readRing(secrets, { SecretId, VersionId: ClientRequestToken });
  if (ring === undefined) throw new Error('The pending version holds no key ring: createSecret comes first');
  return ring;
}

const publicationOf = (ring: KeyRing): Publication => ({
  jwks: publicJwks(ring),
  signingKeyCreatedAt: ring.current.published_at,
});

function summary(ring: KeyRing): Pick<RotationReport, 'current' | 'next' | 'public_keys'> {
  return { current: ring.current.kid, next: ring.next.kid, public_keys: 2 + ring.retired.length };
}
