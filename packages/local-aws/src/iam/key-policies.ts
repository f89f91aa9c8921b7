/** Reads the policies of a template's KMS keys: a role may use a key only when the key's own policy lets it. */

import { isJsonObject, type JsonObject } from '../json.ts';
import { ACCOUNT_ID } from '../template/account.ts';
import type { Resolver } from '../template/intrinsics.ts';

/** Key policies by the key's ARN. */
export type KeyPolicies = ReadonlyMap<string, JsonObject>;

/**
 * The policy of a key without one in the template: it leaves the decision to the policies of the roles.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
const defaultPolicy: JsonObject = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT_ID}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
};

/** The policies of the template's keys. */
export function readKeyPolicies(resolver: Resolver): KeyPolicies {
  return new Map(
    resolver
      .resourcesOf('AWS::KMS::Key')
      .map(({ logicalId, properties: { KeyPolicy } }) => [
        String(resolver.names(logicalId).attributes.Arn),
        isJsonObject(KeyPolicy) ? KeyPolicy : defaultPolicy,
      ]),
  );
}
