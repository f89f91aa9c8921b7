/** The secrets that a template creates, with their first values. */
import { randomInt } from 'node:crypto';
import { unsupported } from '../errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import type { Resolver } from '../template/intrinsics.ts';
import { refuseUnknown } from '../template/properties.ts';

export interface TemplateSecret {
  readonly logicalId: string;
  readonly arn: string;
  readonly name: string;
  /** Its first value, as the template says. */
  readonly value: string;
  /** ARN of the template's KMS key that it is encrypted with; undefined for the key that AWS manages. */
  readonly keyArn: string | undefined;
}

/** A secret that a function rotates. */
export interface TemplateRotation {
  readonly secretArn: string;
  readonly functionArn: string;
  /** Whether the first rotation happens right after the secret was created. */
  readonly immediately: boolean;
}

const secretProperties = {
  emulated: 'GenerateSecretString KmsKeyId Name SecretString',
  ignored: 'Description Tags',
};
const generatorProperties = {
  emulated: 'ExcludeCharacters ExcludePunctuation GenerateStringKey PasswordLength SecretStringTemplate',
};
const rotationProperties = {
  emulated: 'RotateImmediatelyOnUpdate RotationLambdaARN SecretId',
  ignored: 'RotationRules',
};

/** The template's secrets. @throws LocalRunError naming a property that is not known */
export function readSecrets(resolver: Resolver): readonly TemplateSecret[] {
  const keyArns = new Map(
    resolver.resourcesOf('AWS::KMS::Key').flatMap(({ logicalId }): [Json, string][] => {
      const { ref, attributes } = resolver.names(logicalId);
      return [ref, attributes.Arn ?? null].map((name) => [name, String(attributes.Arn)]);
    }),
  );
  return resolver.resourcesOf('AWS::SecretsManager::Secret').map(({ logicalId, properties }) => {
    refuseUnknown(logicalId, properties, secretProperties);
    const arn = String(resolver.names(logicalId).ref);
    const { Name, SecretString, GenerateSecretString, KmsKeyId } = properties;
    if (KmsKeyId !== undefined && !keyArns.has(KmsKeyId))
      throw unsupported(`${logicalId}.KmsKeyId`, 'a key that is not in the template');
    return {
      logicalId,
      arn,
      name: typeof Name === 'string' ? Name : arn.replace(/^.*:secret:(.*)-\w{6}$/, '$1'),
      value: isJsonObject(GenerateSecretString)
        ? generate(`${logicalId}.GenerateSecretString`, GenerateSecretString)
        : String(SecretString ?? ''),
      keyArn: keyArns.get(KmsKeyId ?? null),
    };
  });
}

/** The template's rotation schedules. @throws LocalRunError naming a property that is not known */
export function readRotations(resolver: Resolver): readonly TemplateRotation[] {
  return resolver.resourcesOf('AWS::SecretsManager::RotationSchedule').map(({ logicalId, properties }) => {
    refuseUnknown(logicalId, properties, rotationProperties);
    return {
      secretArn: String(properties.SecretId),
      functionArn: String(properties.RotationLambdaARN),
      immediately: properties.RotateImmediatelyOnUpdate !== false,
    };
  });
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html */
function generate(where: string, generator: JsonObject): string {
  refuseUnknown(where, generator, generatorProperties);
  const excluded = String(generator.ExcludeCharacters ?? '');
  const alphabet = [...letters, ...(generator.ExcludePunctuation === true ? '' : punctuation)].filter(
    (character) => !excluded.includes(character),
  );
  const password = Array.from(
    { length: Number(generator.PasswordLength ?? 32) },
    () => alphabet[randomInt(alphabet.length)],
  ).join('');
  if (generator.GenerateStringKey === undefined) return password;
  const template = JSON.parse(String(generator.SecretStringTemplate ?? '{}')) as object;
  return JSON.stringify({ ...template, [String(generator.GenerateStringKey)]: password });
}
