/** The function that makes the signing keys and publishes their public halves, on the key ring's schedule. */
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { JWKS_KEY } from '../../functions/contracts/table.ts';
import type { KeyRing } from '../data/key-ring.ts';
import { ServiceFunction, type StageFunctionProps } from './service-function.ts';

export interface RotationFunctionProps extends StageFunctionProps {
  readonly keyRing: KeyRing;
}

export class RotationFunction extends ServiceFunction<'rotation'> {
  constructor(scope: Construct, id: string, { service, settings, users, keyRing }: RotationFunctionProps) {
    super(scope, id, {
      name: 'rotation',
      description: 'Creates and rotates the signing keys',
      memorySize: 512,
      timeout: Duration.seconds(30),
      service,
      settings,
      environment: { TABLE_NAME: users.tableName, KEY_RING_ARN: keyRing.secretArn },
    });
    users.grantItem(this.role, JWKS_KEY, 'dynamodb:GetItem', 'dynamodb:PutItem');
    keyRing.rotateWith(this.lambda, settings.keyRotationDays);
  }
}
