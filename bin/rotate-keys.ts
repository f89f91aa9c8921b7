/**
 * `npm run rotate-keys`: rotates the signing keys now, and with `--drop` takes compromised keys out of use.
 *
 * It only asks: a tag on the secret names the keys to drop, and the rotation function, which alone may write the key
 * ring, obeys it in this and every later rotation. So it may be interrupted and repeated at any time.
 */
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  DescribeSecretCommand,
  InvalidRequestException,
  RotateSecretCommand,
  SecretsManagerClient,
  TagResourceCommand,
} from '@aws-sdk/client-secrets-manager';
import { DROP_KEY_TAG, SIGNER_REFRESH_SECONDS } from '../functions/contracts/key-schedule.ts';
import { documentPath } from '../functions/contracts/routes.ts';
import { stageValue } from './command/deployment.ts';
import { CommandError, endWith } from './command/errors.ts';

const USAGE = `Usage: npm run rotate-keys -- --stage <stage> [--drop=<kid> | --drop=all]
       npm run rotate-keys -- --key-ring <KeyRingArn> --issuer <Issuer> [--drop=<kid> | --drop=all]
--drop may be given several times.`;

/** Longest that this waits for the rotation, milliseconds. */
const GIVE_UP_AFTER_MS = 180_000;

/** A rotation that has not come to its end after this long is asked for again, which takes up a failed one. */
const ASK_AGAIN_AFTER_MS = 15_000;

const LOOK_EVERY_MS = 1_000;

interface Request {
  readonly keyRingArn: string;
  readonly issuer: string;
  /** Key ids, or every published one. */
  readonly drop: readonly string[] | 'all';
}

async function readRequest(): Promise<Request> {
  const { values } = parseArgs({
    options: {
      stage: { type: 'string' },
      'key-ring': { type: 'string' },
      issuer: { type: 'string' },
      drop: { type: 'string', multiple: true, default: [] },
    },
  });
  const { stage, drop } = values;
  if ((stage === undefined) === (values['key-ring'] === undefined)) throw new CommandError(USAGE);
  const { 'key-ring': keyRingArn = '', issuer = '' } =
    stage === undefined
      ? values
      : { 'key-ring': await stageValue(stage, 'key-ring-arn'), issuer: await stageValue(stage, 'issuer') };
  if (!/^arn:[\w-]+:secretsmanager:[\w-]+:\d+:secret:/.test(keyRingArn) || !/^https?:\/\//.test(issuer))
    throw new CommandError(USAGE);
  if (drop.includes('all')) return { keyRingArn, issuer, drop: 'all' };
  for (const kid of drop)
    if (!/^[\w-]{43}$/.test(kid))
      throw new CommandError(`'${kid}' is no key id: take it from ${issuer}${documentPath('jwks')}`);
  return { keyRingArn, issuer, drop };
}

/**
 * The published key ids; the first is that of the key that signs. Undefined while the issuer does not answer: a domain
 * that is down must not keep a compromised key in use.
 */
async function publishedKids(issuer: string): Promise<string[] | undefined> {
  try {
    const response = await fetch(issuer + documentPath('jwks'), {
      headers: { 'cache-control': 'no-cache' },
      signal: AbortSignal.timeout(5_000),
    });
    if (!response.ok) return undefined;
    return ((await response.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);
  } catch {
    return undefined;
  }
}

/** Starts a rotation; undefined while an earlier one is not complete, which the service then takes up again. */
async function startRotation(client: SecretsManagerClient, SecretId: string): Promise<string | undefined> {
  try {
    return (await client.send(new RotateSecretCommand({ SecretId }))).VersionId;
  } catch (error) {
    if (error instanceof InvalidRequestException) return undefined;
    throw error;
  }
}

async function rotate({ keyRingArn: SecretId, issuer, drop }: Request): Promise<void> {
  const client = new SecretsManagerClient({ region: SecretId.split(':')[3] ?? '' });
  const before = await publishedKids(issuer);
  const dropped = drop === 'all' ? before : drop;
  if (dropped === undefined)
    throw new CommandError(
      `${issuer} does not answer for its public keys: name those to drop, as --drop=<kid>`,
    );
  if (dropped.length > 0) {
    const Tags = dropped.map((kid) => ({ Key: DROP_KEY_TAG + kid, Value: new Date().toISOString() }));
    await client.send(new TagResourceCommand({ SecretId, Tags }));
    console.log(`To be dropped: ${dropped.join(', ')}`);
    // Not an error: this may be the repetition of a command that was interrupted after it had taken effect.
    const absent = dropped.filter((kid) => before?.includes(kid) === false);
    if (absent.length > 0) console.log(`Not published, or not any more: ${absent.join(', ')}`);
  }
  const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
  let version: string | undefined;
  let askedAt = 0;
  for (;;) {
    const { VersionIdsToStages: versions = {} } = await client.send(new DescribeSecretCommand({ SecretId }));
    const underWay = Object.values(versions).some(
      (stages) => stages.includes('AWSPENDING') && !stages.includes('AWSCURRENT'),
    );
    const done = version !== undefined && versions[version]?.includes('AWSCURRENT') === true;
    const kids = await publishedKids(issuer);
    if (done && !underWay && kids === undefined)
      throw new CommandError(
        `Rotated, but ${issuer} does not answer for its public keys: look at them once it does.`,
      );
    if (done && !underWay && kids !== undefined && !kids.some((kid) => dropped.includes(kid))) {
      console.log(`Published now: ${kids.join(', ')}`);
      console.log(`${kids[0] === before?.[0] ? 'Still signing' : 'Signing from now on'}: ${kids[0]}`);
      if (dropped.length > 0)
        console.log(
          `Running functions follow within ${SIGNER_REFRESH_SECONDS} seconds of their next request.`,
        );
      return;
    }
    if (Date.now() >= giveUpAt)
      throw new CommandError(
        'The rotation has not come to its end: look at the log of the rotation function, and run this again.',
      );
    if (done || (!underWay && version === undefined) || Date.now() - askedAt >= ASK_AGAIN_AFTER_MS) {
      version = (await startRotation(client, SecretId)) ?? version;
      askedAt = Date.now();
    }
    await setTimeout(LOOK_EVERY_MS);
  }
}

try {
  await rotate(await readRequest());
} catch (error) {
  endWith(error);
}
