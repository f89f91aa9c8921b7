/** How a command reaches a secret: its ARN says in which region it is. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { UsageError } from './errors.ts';
import { localIdentity } from './local-identity.ts';

/** What the ARN of a secret begins with; its first group is the region. */
export const SECRET_ARN = /^arn:[\w-]+:secretsmanager:([\w-]+):\d+:secret:/;

/** @throws UsageError when it is no ARN of a secret */
export function secretsManagerFor(secretArn: string): SecretsManagerClient {
  const region = SECRET_ARN.exec(secretArn)?.[1];
  if (region === undefined)
    throw new UsageError(
      'The ARN must be one of a secret: arn:…:secretsmanager:<region>:<account>:secret:….',
    );
  return new SecretsManagerClient({ region });
}

/** That of a local run. */
export function localSecretsManager(endpoint: string): SecretsManagerClient {
  return new SecretsManagerClient({ endpoint, ...localIdentity });
}
