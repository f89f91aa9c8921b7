/** The deployed thing: table, keys, secrets, functions and API of one stage. */
import { CfnOutput, Duration, SecretValue, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { FunctionName } from '../functions/contracts/environment.ts';
import { serviceName } from '../functions/contracts/metrics.ts';
import { JWKS_KEY, openidIndex, revokedTokenKey } from '../functions/contracts/table.ts';
import { JWKS_PATH } from '../functions/contracts/token.ts';
import packageJson from '../package.json' with { type: 'json' };
import { CustomDomain } from './api/custom-domain.ts';
import { API_STAGE, LoginApi } from './api/login-api.ts';
import { WebAcl } from './api/web-acl.ts';
import { discoveryDocument, jwksDocument } from './api/well-known-documents.ts';
import { EgressNetwork } from './compute/egress-network.ts';
import { GradualDeployment } from './compute/gradual-deployment.ts';
import { ServiceFunction, type ServiceFunctionProps } from './compute/service-function.ts';
import { KeyRing } from './data/key-ring.ts';
import { dataRemovalPolicy } from './data/removal-policy.ts';
import { SecretsKey } from './data/secrets-key.ts';
import { UsersTable } from './data/users-table.ts';
import type { WatchedParts } from './monitoring/alarm-metrics.ts';
import { AlarmTopics } from './monitoring/alarm-topics.ts';
import { Alarms } from './monitoring/alarms.ts';
import { Dashboard } from './monitoring/dashboard.ts';
import { admitApisOf, publishStage } from './other-teams/publish-stage.ts';
import { stageParametersPath } from './other-teams/stage-parameters.ts';
import type { StageSettings } from './settings.ts';

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
    super(scope, id, {
      description: 'WeChat mini-program login',
      terminationProtection: props.settings.protectData,
      ...props,
    });
    const { settings, stage } = props;
    const service = serviceName(stage);

    const users = new UsersTable(this, 'Users', settings);
    const encryption = settings.encryptionKey ? new SecretsKey(this, 'SecretsKey', settings) : undefined;
    const keyRing = new KeyRing(this, 'KeyRing', { protectData: settings.protectData, encryption });
    const wechatSecrets = new Secret(this, 'WechatSecrets', {
      description: 'JSON object: AppSecret by appid; filled in by an operator after the first deployment',
      // Always this text: were it to change, a deployment would overwrite what the operator has filled in.
      secretStringValue: SecretValue.unsafePlainText('{}'),
      removalPolicy: dataRemovalPolicy(settings),
      ...(encryption && { encryptionKey: encryption.key }),
    });
    Validations.of(wechatSecrets).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Only the mini-program console hands out an AppSecret: no function can ask WeChat for another.',
    });
    const network =
      settings.fixedEgressAddresses === 0
        ? undefined
        : new EgressNetwork(this, 'Egress', { addresses: settings.fixedEgressAddresses });
    const api = new LoginApi(this, 'Api', { name: service, settings });
    const issuer = publicUrlOf(settings) ?? api.url;

    const tokenEnvironment = { TOKEN_ISSUER: issuer, TOKEN_AUDIENCE: settings.audience };
    const add = <N extends FunctionName>(
      name: N,
      options: Omit<ServiceFunctionProps<N>, 'name' | 'environment' | 'service' | 'settings'>,
      environment: ServiceFunctionProps<N>['environment'],
    ): ServiceFunction<N> =>
      new ServiceFunction(this, `${name[0]?.toUpperCase()}${name.slice(1)}`, {
        name,
        ...options,
        service,
        environment,
        settings,
      });

    const login = add(
      'login',
      {
        description: 'Exchanges a wx.login code for a user and a token',
        memorySize: 1024,
        // WeChat's budget (4 s), the wait for a twin (2.5 s) and four calls of DynamoDB (4 s each, when it is barely
        // there); below API Gateway's 29 s.
        timeout: Duration.seconds(25),
        reservedConcurrency: settings.reservedConcurrency.login,
        network,
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
    users.grantItems(login.role, 'dynamodb:GetItem');
    // TransactWriteItems needs the permission of each write in it. Whoever may write the public keys decides whose
    // tokens are valid.
    users.grantItemsExcept(login.role, JWKS_KEY, 'dynamodb:PutItem', 'dynamodb:UpdateItem');
    users.grantOpenidQuery(login.role);
    keyRing.grantRead(login.role);
    login.role.addToPolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue'],
        resources: [wechatSecrets.secretArn],
      }),
    );
    encryption?.grantRead(login.role);

    const member = add(
      'member',
      { description: 'Answers the member routes', memorySize: 512, timeout: Duration.seconds(10) },
      { TABLE_NAME: users.tableName, SERVICE_VERSION: packageJson.version },
    );
    users.grantItems(member.role, 'dynamodb:GetItem');
    users.grantItemsExcept(member.role, JWKS_KEY, 'dynamodb:UpdateItem');
    users.grantItem(member.role, revokedTokenKey('*'), 'dynamodb:PutItem');

    const authorizer = add(
      'authorizer',
      {
        description: 'Decides whether a token opens a route',
        memorySize: 512,
        timeout: Duration.seconds(8),
        reservedConcurrency: settings.reservedConcurrency.authorizer,
      },
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

    const live = { login: login.publish(), member: member.publish(), authorizer: authorizer.publish() };
    api.addRoutes({
      functions: live,
      authorizer: live.authorizer,
      documents: {
        discovery: discoveryDocument(issuer),
        jwks: jwksDocument(jwksReader, users.tableName),
      },
    });
    if (settings.webAcl) new WebAcl(this, 'WebAcl', { stage: api.api.deploymentStage, ...settings });
    else
      Validations.of(api.api.deploymentStage).acknowledge({
        id: 'AwsSolutions-APIG3',
        reason: 'A web ACL costs as much as the rest of a stage without users: the setting webAcl adds it.',
      });
    const domain =
      settings.customDomain &&
      new CustomDomain(this, 'Domain', { domain: settings.customDomain, api: api.api });

    const parts: WatchedParts = {
      service,
      api: { ApiName: service, Stage: API_STAGE },
      functions: {
        login: login.liveDimensions,
        member: member.liveDimensions,
        authorizer: authorizer.liveDimensions,
      },
      rotation: { FunctionName: rotation.lambda.functionName },
      tableName: users.tableName,
      indexName: openidIndex.name,
    };
    const topics = new AlarmTopics(this, 'AlarmTopics', settings.alarmEmails);
    const alarms = new Alarms(this, 'Alarms', {
      parts,
      topics,
      ...settings,
      certificateArn: settings.customDomain?.certificateArn,
    });
    const dashboard = new Dashboard(this, 'Dashboard', { parts, alarms, ...settings });
    if (settings.gradualDeployment)
      new GradualDeployment(this, 'Deployment', { aliases: live, alarms: alarms.ofBadVersions });

    publishStage(this, stage, {
      issuer,
      audience: settings.audience,
      'jwks-url': `${issuer}${JWKS_PATH}`,
      'authorizer-arn': live.authorizer.functionArn,
      'users-table': users.tableName,
      'key-ring-arn': keyRing.secretArn,
      'key-rotation-days': String(settings.keyRotationDays),
      'wechat-secrets-arn': wechatSecrets.secretArn,
      appids: settings.appids.join(','),
      'login-log-group': login.logGroup.logGroupName,
    });
    for (const account of settings.consumerAccounts) admitApisOf(account, live.authorizer);

    this.print({
      ApiUrl: [issuer, 'Base URL for the mini-program'],
      Issuer: [issuer, 'Issuer of the tokens'],
      JwksUrl: [`${issuer}${JWKS_PATH}`, 'The public keys of the tokens'],
      AuthorizerArn: [live.authorizer.functionArn, 'For other teams that share the authorizer'],
      DomainTarget: [domain?.target, 'Where the DNS record of the custom domain has to point'],
      EgressAddresses: [network?.addresses, 'For the API IP whitelist in the mini-program console'],
      DashboardUrl: [dashboard.url, 'How the service is doing'],
      UrgentAlarmsTopic: [
        topics.topics.urgent.topicArn,
        'Alarms that wake somebody: subscribe your pager as well',
      ],
      UrgentAlarmsReach: [whoIsTold(settings.alarmEmails.urgent), 'Who is told of them'],
      NoticeAlarmsTopic: [topics.topics.notice.topicArn, 'Alarms that can wait for the next working day'],
      NoticeAlarmsReach: [whoIsTold(settings.alarmEmails.notice), 'Who is told of them'],
      ParametersPath: [stageParametersPath(stage), 'What other stacks and the operator commands look up'],
      KeyRingArn: [keyRing.secretArn, 'The signing keys: for npm run rotate-keys'],
      SecretsKeyArn: [encryption?.key.keyArn, 'The key of both secrets: for the permissions of operators'],
      WechatSecretsArn: [wechatSecrets.secretArn, 'The AppSecrets: for npm run set-wechat-secret'],
    });
  }

  /** What `cdk deploy` ends with; what this stage does not have is left out. */
  private print(
    outputs: Readonly<Record<string, readonly [value: string | undefined, description: string]>>,
  ): void {
    for (const [name, [value, description]] of Object.entries(outputs))
      if (value !== undefined) new CfnOutput(this, name, { value, description });
  }
}

const whoIsTold = (emails: readonly string[]): string =>
  emails.length === 0
    ? 'NOBODY yet: set alarmEmails in lib/config.ts, or subscribe a pager or a chat to the topic'
    : `${emails.join(', ')}, once they have confirmed`;

/** Where clients reach the API, if not at its own address. */
function publicUrlOf({ customDomain, publicUrl }: StageSettings): string | undefined {
  return customDomain === undefined ? publicUrl : `https://${customDomain.name}`;
}
