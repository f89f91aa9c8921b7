/** The function behind the routes of a member who is logged in, and behind `/health`. */
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { EVERY_KEY_OF_NO_USER, endedLoginKey, JWKS_KEY } from '../../functions/contracts/table.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { ServiceFunction, type StageFunctionProps } from './service-function.ts';

export class MemberFunction extends ServiceFunction<'member'> {
  constructor(scope: Construct, id: string, { service, settings, users }: StageFunctionProps) {
    super(scope, id, {
      name: 'member',
      description: 'Answers the member routes',
      memorySize: 512,
      timeout: Duration.seconds(10),
      service,
      settings,
      environment: { TABLE_NAME: users.tableName, SERVICE_VERSION: packageJson.version },
    });
    // And the public keys, whose age /health tells.
    const ofOthers = EVERY_KEY_OF_NO_USER.filter((key) => key !== JWKS_KEY);
    users.grantItemsExcept(this.role, ofOthers, 'dynamodb:GetItem');
    users.grantItemsExcept(this.role, EVERY_KEY_OF_NO_USER, 'dynamodb:UpdateItem');
    users.grantItem(this.role, endedLoginKey('*'), 'dynamodb:PutItem');
  }
}
