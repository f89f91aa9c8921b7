/** Lambda entry: Secrets Manager calls it to rotate the key ring, and on the first deploy to create it. */
import { createDocumentClient, createSecretsClient } from './aws/clients.ts';
import { readEnvironment } from './contracts/environment.ts';
import { createRotation, type RotationEvent } from './keys/rotation.ts';
import { log } from './telemetry/logger.ts';

const environment = readEnvironment('rotation');
const rotate = createRotation({
  secrets: createSecretsClient(),
  keyRingArn: environment.KEY_RING_ARN,
  table: { client: createDocumentClient(), tableName: environment.TABLE_NAME },
  now: Date.now,
});

export const handler = async (event: RotationEvent): Promise<void> => {
  log.info('key ring rotation', { ...(await rotate(event)) });
};
