/** The deployed thing: table, keys, secrets, functions and API of one stage. */
import {
  CfnOutput,
  Duration,
  RemovalPolicy,
  SecretValue,
  Stack,
  type StackProps,
  Validations,
} from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { FunctionName } from '../functions/environment.ts';
import { serviceName } from '../functions/metrics/catalogue.ts';
import { JWKS_PATH } from '../functions/tokens/claims.ts';
import { JWKS_KEY, revokedTokenKey } from '../functions/users/table.ts';
import packageJson from '../package.json' with { type: 'json' };
import type { StageSettings } from './config.ts';
import { KeyRing } from './key-ring.ts';
import { LoginApi } from './login-api.ts';
import { admitApisOf, publishStage } from './other-teams.ts';
import { ServiceFunction, type ServiceFunctionProps } from './service-function.ts';
import { UsersTable } from './users-table.ts';
import { discoveryDocument, jwksDocument } from './well-known-documents.ts';

/** Settings of {@link WechatLoginStack}. */
export interface WechatLoginStackProps extends StackProps {
  /** The stage's settings, from `lib/config.ts`. */
  readonly settings: StageSettings;
  /** The stage's name; other stacks find this one by it. */
  readonly stage: string;
}

/** A WeChat mini-program login service of its own. */
export class WechatLoginStack extends Stack {
  constructor(scope: Construct, id: string, props: WechatLoginStackProps) {
    super(scope, id, { description: 'WeChat mini-program login', ...props });
    const { settings, stage } = props;

    const users = new UsersTable(this, 'Users', { protectData: settings.protectData });
    const keyRing = new KeyRing(this, 'KeyRing', { protectData: settings.protectData });
    const wechatSecrets = new Secret(this, 'WechatSecrets', {
      description: 'JSON object: AppSecret by appid; filled in by an operator after the first deployment',
      // Always this text: were it to change, a deployment would overwrite what the operator has filled in.
      secretStringValue: SecretValue.unsafePlainText('{}'),
      removalPolicy: settings.protectData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    Validations.of(wechatSecrets).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Only the mini-program console hands out an AppSecret: no function can ask WeChat for another.',
    });
    const api = new LoginApi(this, 'Api');
    const issuer = settings.publicUrl ?? api.url;

    const tokenEnvironment = { TOKEN_ISSUER: issuer, TOKEN_AUDIENCE: settings.audience };
    const add = <N extends FunctionName>(
      name: N,
      sizing: { description: string; memorySize: number; timeout: Duration },
      environment: ServiceFunctionProps<N>['environment'],
    ): ServiceFunction<N> =>
      new ServiceFunction(this, `${name[0]?.toUpperCase()}${name.slice(1)}`, {
        name,
        ...sizing,
        serviceName: serviceName(stage),
        environment,
        logRetentionDays: settings.logRetentionDays,
      });

    const login = add(
      'login',
      {
        description: 'Exchanges a wx.login code for a user and a token',
        memorySize: 1024,
        // WeChat's budget (4 s), the wait for a twin (2.5 s) and four calls of DynamoDB (4 s each, when it is barely
        // there); below API Gateway's 29 s.
        timeout: Duration.seconds(25),
      },
      {
        ...tokenEnvironment,
        TABLE_NAME: users.tableName,
        WECHAT_APPIDS: settings.appids.join(','),
        WECHAT_API_BASE: settings.wechatApiBases.join(','),
        WECHAT_SECRETS_ARN: wechatSecrets.secretArn,
        KEY_RING_ARN: keyRing.secretArn,
        TOKEN_LIFETIME_SECONDS: String(settings.tokenLifetimeSeconds),
        CODE_REUSE_WINDOW_SECONDS: String(settings.codeReuseWindowSeconds),
      },
    );
    // TransactWriteItems needs the permission of each write in it.
    users.grantItems(login.role, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem');
    users.grantOpenidQuery(login.role);
    keyRing.grantRead(login.role);
    login.role.addToPolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [wechatSecrets.secretArn],
      }),
    );

    const member = add(
      'member',
      { description: 'Answers the member routes', memorySize: 512, timeout: Duration.seconds(10) },
      { TABLE_NAME: users.tableName, SERVICE_VERSION: packageJson.version },
    );
    users.grantItems(member.role, 'dynamodb:GetItem');
    // Whoever may write the public keys decides whose tokens are valid.
    users.grantItemsExcept(member.role, JWKS_KEY, 'dynamodb:UpdateItem');
    users.grantItem(member.role, revokedTokenKey('*'), 'dynamodb:PutItem');

    const authorizer = add(
      'authorizer',
      { description: 'Decides whether a token opens a route', memorySize: 512, timeout: Duration.seconds(8) },
      {
        ...tokenEnvironment,
        TABLE_NAME: users.tableName,
        CHECK_REVOCATION: String(settings.checkRevocation),
      },
    );
    users.grantItem(authorizer.role, JWKS_KEY, 'dynamodb:GetItem');
    if (settings.checkRevocation) users.grantItems(authorizer.role, 'dynamodb:BatchGetItem');

    const rotation = add(
      'rotation',
      { description: 'Creates and rotates the signing keys', memorySize: 512, timeout: Duration.seconds(30) },
      { TABLE_NAME: users.tableName, KEY_RING_ARN: keyRing.secretArn },
    );
    users.grantItem(rotation.role, JWKS_KEY, 'dynamodb:GetItem', 'dynamodb:PutItem');
    keyRing.rotateWith(rotation.lambda, settings.keyRotationDays);

    const jwksReader = new Role(this, 'JwksReader', {
      description: 'Lets API Gateway serve the public keys without a function',
      assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
    });
    users.grantItem(jwksReader, JWKS_KEY, 'dynamodb:GetItem');

    api.addRoutes({
      functions: { login: login.lambda, member: member.lambda },
      authorizer: authorizer.lambda,
      documents: {
        discovery: discoveryDocument(issuer),
        jwks: jwksDocument(jwksReader, users.tableName),
      },
    });

    publishStage(this, stage, {
      issuer,
      audience: settings.audience,
      'jwks-url': `${issuer}${JWKS_PATH}`,
      'authorizer-arn': authorizer.lambda.functionArn,
      'users-table': users.tableName,
      'key-ring-arn': keyRing.secretArn,
      'key-rotation-days': String(settings.keyRotationDays),
      'wechat-secrets-arn': wechatSecrets.secretArn,
      appids: settings.appids.join(','),
      'login-log-group': login.logGroup.logGroupName,
    });
    for (const account of settings.consumerAccounts) admitApisOf(account, authorizer.lambda);

    new CfnOutput(this, 'ApiUrl', {
      value: settings.publicUrl ?? api.url,
      description: 'Base URL for the mini-program',
    });
    new CfnOutput(this, 'Issuer', { value: issuer, description: 'Issuer of the tokens' });
    new CfnOutput(this, 'KeyRingArn', {
      value: keyRing.secretArn,
      description: 'The signing keys: for npm run rotate-keys',
    });
    new CfnOutput(this, 'WechatSecretsArn', {
      value: wechatSecrets.secretArn,
      description: 'The AppSecrets: for npm run set-wechat-secret',
    });
  }
}
