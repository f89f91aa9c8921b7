/** The function behind the routes of a member who is logged in, and behind `/health`. */
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import {
  changesKey,
  EVERY_ERASURE_KEY,
  EVERY_SPENT_CODE_KEY,
  endedLoginKey,
  JWKS_KEY,
  openidGuardKey,
} from '../../functions/contracts/table.ts';
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
    const marks = endedLoginKey('*');
    const ofOthers = [
      changesKey('*'),
      EVERY_SPENT_CODE_KEY,
      EVERY_ERASURE_KEY,
      openidGuardKey('*', '*'),
      marks,
    ];
    users.grantItemsExcept(this.role, ofOthers, 'dynamodb:GetItem');
    users.grantItemsExcept(this.role, [JWKS_KEY, ...ofOthers], 'dynamodb:UpdateItem');
    users.grantItem(this.role, marks, 'dynamodb:PutItem');
  }
}
