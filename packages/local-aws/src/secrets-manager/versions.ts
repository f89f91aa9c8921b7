/** The versions of one secret and their staging labels, with the rules and errors of Secrets Manager. */
import { randomUUID } from 'node:crypto';

/** One version; it has no value until its rotation writes one. */
export interface Version {
  value?: string;
  stages: string[];
  createdAt: number;
}

/** A secret with all its versions by id. */
export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly versions: Record<string, Version>;
  /** Values by key. */
  tags?: Record<string, string>;
  /** Whether it was written to since it was created; only such secrets are kept between runs. */
  written: boolean;
  lastRotatedAt?: number;
}

/** The body of a request. */
export type Input = Readonly<Record<string, unknown>>;
/** One operation of the API on one secret. */
export type Operation = (secret: Secret, input: Input) => Record<string, unknown>;

/** An error the SDK turns into its exception of the same name. */
export class ServiceError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** Unix time in seconds, with a fraction: how the API writes dates. */
export const unixNow = (): number => Date.now() / 1000;

/** A new secret: one current version. */
export function createSecret(arn: string, name: string, value: string): Secret {
  const version = { value, stages: ['AWSCURRENT'], createdAt: unixNow() };
  return { arn, name, versions: { [randomUUID()]: version }, written: false };
}

/** `GetSecretValue`: by version, by label, or the current one. */
export function getSecretValue(secret: Secret, input: Input): Record<string, unknown> {
  const versionId = optionalText(input, 'VersionId');
  const stage = optionalText(input, 'VersionStage') ?? (versionId === undefined ? 'AWSCURRENT' : undefined);
  const id = versionId ?? findVersion(secret, stage ?? '');
  const version = id === undefined ? undefined : secret.versions[id];
  if (version !== undefined && stage !== undefined && !version.stages.includes(stage))
    throw new ServiceError(
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    );
  if (version?.value === undefined)
    throw new ServiceError(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for ${versionId === undefined ? `staging label: ${stage}` : `VersionId: ${versionId}`}`,
    );
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: id,
    VersionStages: version.stages,
    SecretString: version.value,
    CreatedDate: version.createdAt,
  };
}

/** `DescribeSecret`: the labels, no values. */
export function describeSecret(secret: Secret, rotatable: boolean): Record<string, unknown> {
  const labelled = Object.entries(secret.versions).filter(([, { stages }]) => stages.length > 0);
  return {
    ARN: secret.arn,
    Name: secret.name,
    RotationEnabled: rotatable,
    ...(secret.lastRotatedAt === undefined ? {} : { LastRotatedDate: secret.lastRotatedAt }),
    Tags: Object.entries(secret.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
    VersionIdsToStages: Object.fromEntries(labelled.map(([id, { stages }]) => [id, stages])),
  };
}

/** `TagResource`: adds tags, or gives them other values. */
export function tagResource(secret: Secret, input: Input): Record<string, unknown> {
  if (!Array.isArray(input.Tags))
    throw new ServiceError('InvalidParameterException', 'You must provide Tags.');
  const added = (input.Tags as readonly Input[]).map((tag): [string, string] => {
    const key = optionalText(tag, 'Key') ?? '';
    const value = optionalText(tag, 'Value') ?? '';
    // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Tag.html
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u.test(key) || value.length > 256)
      throw new ServiceError('InvalidParameterException', 'A tag has an invalid key or value.');
    return [key, value];
  });
  secret.tags = { ...secret.tags, ...Object.fromEntries(added) };
  secret.written = true;
  return {};
}

/** `PutSecretValue`: a version is written once. The same value again changes nothing, another one is refused. */
export function putSecretValue(secret: Secret, input: Input): Record<string, unknown> {
  const value = optionalText(input, 'SecretString');
  if (value === undefined)
    throw new ServiceError('InvalidParameterException', 'You must provide SecretString.');
  const id = optionalText(input, 'ClientRequestToken') ?? randomUUID();
  if (id.length < 32 || id.length > 64)
    throw new ServiceError(
      'InvalidParameterException',
      'ClientRequestToken must be between 32 and 64 characters long.',
    );
  const existing = secret.versions[id];
  if (existing?.value !== undefined && existing.value !== value)
    throw new ServiceError(
      'ResourceExistsException',
      `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secret.arn}.`,
    );
  const stages = textList(input, 'VersionStages') ?? ['AWSCURRENT'];
  if (existing?.value === undefined) {
    secret.versions[id] = { value, stages: existing?.stages ?? [], createdAt: unixNow() };
    secret.written = true;
    for (const stage of stages) attachStage(secret, stage, id);
  }
  return { ARN: secret.arn, Name: secret.name, VersionId: id, VersionStages: stages };
}

/** `UpdateSecretVersionStage`: moves a label away from the version that the request says has it. */
export function updateSecretVersionStage(
  secret: Secret,
  input: Input,
  currentEndsPending: boolean,
): Record<string, unknown> {
  const stage = optionalText(input, 'VersionStage') ?? '';
  const moveTo = optionalText(input, 'MoveToVersionId');
  const removeFrom = optionalText(input, 'RemoveFromVersionId');
  const holder = findVersion(secret, stage);
  if (moveTo !== undefined && secret.versions[moveTo] === undefined)
    throw new ServiceError(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret version: ${moveTo}.`,
    );
  if (holder !== removeFrom && (moveTo === undefined || holder !== moveTo))
    throw new ServiceError(
      'InvalidParameterException',
      `The staging label ${stage} is currently attached to ${holder ?? 'no version'}, which RemoveFromVersionId must name.`,
    );
  if (moveTo !== undefined) {
    attachStage(secret, stage, moveTo);
    if (currentEndsPending && stage === 'AWSCURRENT' && findVersion(secret, 'AWSPENDING') === moveTo)
      detachStage(secret, 'AWSPENDING');
  } else if (stage === 'AWSCURRENT')
    throw new ServiceError(
      'InvalidParameterException',
      "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
    );
  else detachStage(secret, stage);
  return { ARN: secret.arn, Name: secret.name };
}

/** Moves a label to a version; moving AWSCURRENT leaves AWSPREVIOUS behind, as the service does. */
export function attachStage(secret: Secret, stage: string, id: string): void {
  const holder = findVersion(secret, stage);
  if (holder === id) return;
  detachStage(secret, stage);
  if (stage === 'AWSCURRENT' && holder !== undefined) attachStage(secret, 'AWSPREVIOUS', holder);
  secret.versions[id]?.stages.push(stage);
}

function detachStage(secret: Secret, stage: string): void {
  for (const version of Object.values(secret.versions))
    version.stages = version.stages.filter((label) => label !== stage);
}

/** The id of the version that carries a label. */
export function findVersion(secret: Secret, stage: string): string | undefined {
  return Object.keys(secret.versions).find((id) => secret.versions[id]?.stages.includes(stage));
}

/** A string member of the request. @throws ServiceError when it is something else */
export function optionalText(input: Input, member: string): string | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string')
    throw new ServiceError('InvalidParameterException', `${member} must be a string.`);
  return value;
}

function textList(input: Input, member: string): string[] | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string'))
    throw new ServiceError('InvalidParameterException', `${member} must be a list of strings.`);
  return value;
}
