/**
 * Of a secret, the value that counts now: not the one before, and not one that a rotation is about to bring in.
 *
 * A request names a version by label, by id, or not at all, which means `AWSCURRENT`. AWS does not document whether IAM
 * sees that label where the request leaves it out, so it may be absent, and an id must be.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 */
export const currentValueOnly = {
  StringEqualsIfExists: { 'secretsmanager:VersionStage': 'AWSCURRENT' },
  Null: { 'secretsmanager:VersionId': 'true' },
} as const;
