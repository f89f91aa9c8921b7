/** The function that changes and erases what is held of a member, as the member, WeChat or the end of a grace period has it. */
import { Duration, Validations } from 'aws-cdk-lib';
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
  pushMarkKey,
} from '../../functions/contracts/table.ts';
import type { WechatSecrets } from '../data/wechat-secrets.ts';
import type { EgressNetwork } from './egress-network.ts';
import { type LiveAlias, ServiceFunction, type StageFunctionProps } from './service-function.ts';
import { wechatEnvironment } from './wechat-environment.ts';

export interface AccountFunctionProps extends StageFunctionProps {
  readonly wechatSecrets: WechatSecrets;
  /** The network WeChat is called from. @default - Lambda's own */
  readonly network?: EgressNetwork | undefined;
}

export class AccountFunction extends ServiceFunction<'account'> {
  constructor(scope: Construct, id: string, props: AccountFunctionProps) {
    const { service, settings, users, wechatSecrets, network } = props;
    super(scope, id, {
      name: 'account',
      description: 'Changes and erases what is held of a member',
      memorySize: 512,
      // An access token and a call with it (4 s each), the wait for a twin (1 s) and calls of DynamoDB.
      timeout: Duration.seconds(25),
      network,
      service,
      settings,
      environment: {
        TABLE_NAME: users.tableName,
        ...wechatEnvironment(settings, wechatSecrets),
        ERASURE_GRACE_DAYS: String(settings.erasureGraceDays),
      },
    });
    const guards = openidGuardKey('*', '*');
    const marks = pushMarkKey('*');
    const allBut = (...own: readonly string[]) => EVERY_KEY_OF_NO_USER.filter((key) => !own.includes(key));
    // The public keys only to open the connection.
    users.grantItemsExcept(this.role, allBut(JWKS_KEY, guards), 'dynamodb:GetItem');
    users.grantItemsExcept(this.role, allBut(changesKey('*'), EVERY_ERASURE_KEY), 'dynamodb:UpdateItem');
    users.grantItemsExcept(this.role, allBut(guards, marks), 'dynamodb:DeleteItem');
    users.grantItem(this.role, marks, 'dynamodb:PutItem');
    users.grantQuery(this.role, closingIndex);
    wechatSecrets.grantRead(this.role);
  }

  /** Also has the closed accounts looked through every hour. */
  override publish(): LiveAlias {
    const live = super.publish();
    const rule = new Rule(this, 'EraseDue', {
      description: 'Erases the closed accounts whose grace period is over',
      schedule: Schedule.rate(Duration.hours(1)),
      targets: [new LambdaFunction(live)],
    });
    Validations.of(rule).acknowledge({
      id: 'Serverless-EventBusDLQ',
      reason: 'The event says nothing, and the next one comes in an hour: none gets lost.',
    });
    return live;
  }
}
