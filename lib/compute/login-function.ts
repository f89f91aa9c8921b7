/** The function that logs people in: it alone, beside rotation, may read the signing keys. */
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import {
  changesKey,
  EVERY_ERASURE_KEY,
  endedLoginKey,
  JWKS_KEY,
  openidGuardKey,
  openidIndex,
  pushMarkKey,
} from '../../functions/contracts/table.ts';
import type { KeyRing } from '../data/key-ring.ts';
import type { WechatSecrets } from '../data/wechat-secrets.ts';
import type { EgressNetwork } from './egress-network.ts';
import { ServiceFunction, type StageFunctionProps } from './service-function.ts';
import { wechatEnvironment } from './wechat-environment.ts';

export interface LoginFunctionProps extends StageFunctionProps {
  /** The tokens' `iss`. */
  readonly issuer: string;
  readonly keyRing: KeyRing;
  readonly wechatSecrets: WechatSecrets;
  /** The network WeChat is called from. @default - Lambda's own */
  readonly network?: EgressNetwork | undefined;
}

export class LoginFunction extends ServiceFunction<'login'> {
  constructor(scope: Construct, id: string, props: LoginFunctionProps) {
    const { service, settings, users, issuer, keyRing, wechatSecrets, network } = props;
    super(scope, id, {
      name: 'login',
      description: 'Exchanges a wx.login code for a user and a token',
      memorySize: settings.memoryMb.login,
      // WeChat's budget (4 s), the wait for a twin (2.5 s) and four calls of DynamoDB (4 s each, when it is barely
      // there); below API Gateway's 29 s.
      timeout: Duration.seconds(25),
      reservedConcurrency: settings.reservedConcurrency.login,
      provisionedConcurrency: settings.provisionedConcurrency.login,
      network,
      service,
      settings,
      environment: {
        TOKEN_ISSUER: issuer,
        TOKEN_AUDIENCE: settings.audience,
        TABLE_NAME: users.tableName,
        ...wechatEnvironment(settings, wechatSecrets),
        KEY_RING_ARN: keyRing.secretArn,
        TOKEN_LIFETIME_SECONDS: String(settings.tokenLifetimeSeconds),
      },
    });
    const changes = changesKey('*');
    // A code that arrives again is checked as its token would be, and makes nobody anew who was erased.
    users.grantItemsExcept(this.role, [changes], 'dynamodb:GetItem', 'dynamodb:BatchGetItem');
    users.grantItem(this.role, EVERY_ERASURE_KEY, 'dynamodb:ConditionCheckItem');
    // TransactWriteItems needs the permission of each write in it. Whoever may write the public keys decides whose
    // tokens are valid.
    const ofOthers = [JWKS_KEY, endedLoginKey('*'), EVERY_ERASURE_KEY, pushMarkKey('*')];
    users.grantItemsExcept(this.role, [...ofOthers, changes], 'dynamodb:PutItem');
    // The changes, too, where a login that restores an account is recorded.
    users.grantItemsExcept(this.role, [...ofOthers, openidGuardKey('*', '*')], 'dynamodb:UpdateItem');
    users.grantQuery(this.role, openidIndex);
    keyRing.grantRead(this.role);
    wechatSecrets.grantRead(this.role);
  }
}
