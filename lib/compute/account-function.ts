/** The function that changes and erases what is held of a member, on the member's order or when a grace period is over. */
import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Construct } from 'constructs';
import {
  changesKey,
  closingIndex,
  EVERY_ERASURE_KEY,
  EVERY_KEY_OF_NO_USER,
  JWKS_KEY,
  openidGuardKey,
} from '../../functions/contracts/table.ts';
import { type LiveAlias, ServiceFunction, type StageFunctionProps } from './service-function.ts';

export class AccountFunction extends ServiceFunction<'account'> {
  constructor(scope: Construct, id: string, { service, settings, users }: StageFunctionProps) {
    super(scope, id, {
      name: 'account',
      description: 'Changes and erases what is held of a member',
      memorySize: 512,
      timeout: Duration.seconds(20),
      service,
      settings,
      environment: {
        TABLE_NAME: users.tableName,
        ERASURE_GRACE_DAYS: String(settings.erasureGraceDays),
      },
    });
    const guards = openidGuardKey('*', '*');
    const allBut = (...own: readonly string[]) => EVERY_KEY_OF_NO_USER.filter((key) => !own.includes(key));
    // The public keys only to open the connection.
    users.grantItemsExcept(this.role, allBut(JWKS_KEY, guards), 'dynamodb:GetItem');
    users.grantItemsExcept(this.role, allBut(changesKey('*'), EVERY_ERASURE_KEY), 'dynamodb:UpdateItem');
    users.grantItemsExcept(this.role, allBut(guards), 'dynamodb:DeleteItem');
    users.grantQuery(this.role, closingIndex);
  }

  /** Also has the closed accounts looked through every hour. */
  override publish(): LiveAlias {
    const live = super.publish();
    new Rule(this, 'EraseDue', {
      description: 'Erases the closed accounts whose grace period is over',
      schedule: Schedule.rate(Duration.hours(1)),
      targets: [new LambdaFunction(live)],
    });
    return live;
  }
}
