/** The function that changes and erases what is held of a member, on the member's order. */
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { EVERY_KEY_OF_NO_USER, JWKS_KEY } from '../../functions/contracts/table.ts';
import { ServiceFunction, type StageFunctionProps } from './service-function.ts';

export class AccountFunction extends ServiceFunction<'account'> {
  constructor(scope: Construct, id: string, { service, settings, users }: StageFunctionProps) {
    super(scope, id, {
      name: 'account',
      description: 'Changes and erases what is held of a member',
      memorySize: 512,
      timeout: Duration.seconds(20),
      service,
      settings,
      environment: { TABLE_NAME: users.tableName },
    });
    users.grantItem(this.role, JWKS_KEY, 'dynamodb:GetItem');
    users.grantItemsExcept(this.role, EVERY_KEY_OF_NO_USER, 'dynamodb:UpdateItem');
  }
}
