/** The deployed thing: table, keys, secrets, functions and API of one stage. */
import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { serviceName } from '../functions/contracts/metrics.ts';
import { openidIndex } from '../functions/contracts/table.ts';
import { JWKS_PATH } from '../functions/contracts/token.ts';
import { CustomDomain } from './api/custom-domain.ts';
import { API_STAGE, LoginApi } from './api/login-api.ts';
import { protectApi } from './api/web-acl.ts';
import { discoveryDocument, jwksDocument } from './api/well-known-documents.ts';
import { AccountFunction } from './compute/account-function.ts';
import { AuthorizerFunction } from './compute/authorizer-function.ts';
import { EgressNetwork } from './compute/egress-network.ts';
import { GradualDeployment } from './compute/gradual-deployment.ts';
import { LoginFunction } from './compute/login-function.ts';
import { MemberFunction } from './compute/member-function.ts';
import { RotationFunction } from './compute/rotation-function.ts';
import { KeyRing } from './data/key-ring.ts';
import { SecretsKey } from './data/secrets-key.ts';
import { UsersTable } from './data/users-table.ts';
import { WechatSecrets } from './data/wechat-secrets.ts';
import type { WatchedParts } from './monitoring/alarm-metrics.ts';
import { AlarmTopics } from './monitoring/alarm-topics.ts';
import { Alarms } from './monitoring/alarms.ts';
import { Budget } from './monitoring/budget.ts';
import { Dashboard } from './monitoring/dashboard.ts';
import { admitApisOf, publishStage } from './other-teams/publish-stage.ts';
import { stageParametersPath } from './other-teams/stage-parameters.ts';
import type { StageSettings } from './settings.ts';

export interface WechatLoginStackProps extends StackProps {
  /** From `lib/config.ts`. */
  readonly settings: StageSettings;
  /** The stage's name; other stacks find this one by it. */
  readonly stage: string;
}

/** A WeChat mini-program login service of its own. */
export class WechatLoginStack extends Stack {
  constructor(scope: Construct, id: string, props: WechatLoginStackProps) {
    super(scope, id, {
      description: 'WeChat mini-program login',
      // Cost allocation tag.
      tags: { service: serviceName(props.stage) },
      terminationProtection: props.settings.protectData,
      ...props,
    });
    const { settings, stage } = props;
    const { customDomain } = settings;
    const service = serviceName(stage);

    // Data
    const encryption = settings.encryptionKey ? new SecretsKey(this, 'SecretsKey', settings) : undefined;
    const users = new UsersTable(this, 'Users', { ...settings, service, encryption });
    const keyRing = new KeyRing(this, 'KeyRing', { ...settings, encryption });
    const wechatSecrets = new WechatSecrets(this, 'WechatSecrets', { ...settings, encryption });

    // Functions, which are told the API's address
    const network = settings.fixedEgressAddresses
      ? new EgressNetwork(this, 'Egress', { addresses: settings.fixedEgressAddresses })
      : undefined;
    const api = new LoginApi(this, 'Api', { service, settings });
    const issuer = publicUrlOf(settings) ?? api.url;
    const common = { service, settings, users };
    const login = new LoginFunction(this, 'Login', { ...common, issuer, keyRing, wechatSecrets, network });
    const member = new MemberFunction(this, 'Member', common);
    const account = new AccountFunction(this, 'Account', { ...common, wechatSecrets, network });
    const authorizer = new AuthorizerFunction(this, 'Authorizer', { ...common, issuer });
    const rotation = new RotationFunction(this, 'Rotation', { ...common, keyRing });

    // API
    const live = {
      login: login.publish(),
      member: member.publish(),
      account: account.publish(),
      authorizer: authorizer.publish(),
    };
    api.addRoutes({
      functions: live,
      authorizer: live.authorizer,
      documents: { discovery: discoveryDocument(issuer), jwks: jwksDocument(this, users) },
    });
    protectApi(this, api.api.deploymentStage, settings);
    const domain = customDomain && new CustomDomain(this, 'Domain', { ...customDomain, api: api.api });

    // Monitoring
    const parts = watchedParts(service, users, { login, member, account, authorizer, rotation });
    const { topics } = new AlarmTopics(this, 'AlarmTopics', settings.alarmEmails);
    const alarms = new Alarms(this, 'Alarms', { parts, topics, ...settings });
    const dashboard = new Dashboard(this, 'Dashboard', { parts, alarms, ...settings });
    if (settings.monthlyBudget)
      new Budget(this, 'Budget', { ...settings.monthlyBudget, emails: settings.alarmEmails.notice });
    if (settings.gradualDeployment)
      new GradualDeployment(this, 'Deployment', { aliases: live, alarms: alarms.ofBadVersions });

    // Other teams, and outputs
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
      Issuer: [issuer, 'Base URL for the mini-program, and issuer of the tokens'],
      ApiAddress: [
        issuer === api.url ? undefined : api.url,
        'Where the API is before a domain leads to it: for npm run doctor, as --url',
      ],
      JwksUrl: [`${issuer}${JWKS_PATH}`, 'The public keys of the tokens'],
      AuthorizerArn: [live.authorizer.functionArn, 'For other teams that share the authorizer'],
      DomainTarget: [domain?.target, 'Where the DNS record of the custom domain has to point'],
      EgressAddresses: [network?.addresses, 'For the API IP whitelist in the mini-program console'],
      DashboardUrl: [dashboard.url, 'How the service is doing'],
      UrgentAlarmsTopic: [topics.urgent.topicArn, 'Alarms that wake somebody: subscribe your pager as well'],
      UrgentAlarmsReach: [whoIsTold(settings.alarmEmails.urgent), 'Who is told of them'],
      NoticeAlarmsTopic: [topics.notice.topicArn, 'Alarms that can wait for the next working day'],
      NoticeAlarmsReach: [whoIsTold(settings.alarmEmails.notice), 'Who is told of them'],
      ParametersPath: [stageParametersPath(stage), 'What other stacks and the operator commands look up'],
      KeyRingArn: [keyRing.secretArn, 'The signing keys: for npm run rotate-keys'],
      SecretsKeyArn: [
        encryption?.key.keyArn,
        'The key of the secrets and the users table: for the permissions of operators',
      ],
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

/** What alarms and dashboard look at. */
function watchedParts(
  service: string,
  users: UsersTable,
  functions: {
    readonly login: LoginFunction;
    readonly member: MemberFunction;
    readonly account: AccountFunction;
    readonly authorizer: AuthorizerFunction;
    readonly rotation: RotationFunction;
  },
): WatchedParts {
  const { login, member, account, authorizer, rotation } = functions;
  return {
    service,
    api: { ApiName: service, Stage: API_STAGE },
    functions: {
      login: login.liveDimensions,
      member: member.liveDimensions,
      account: account.liveDimensions,
      authorizer: authorizer.liveDimensions,
    },
    rotation: { FunctionName: rotation.lambda.functionName },
    tableName: users.tableName,
    indexName: openidIndex.name,
  };
}
