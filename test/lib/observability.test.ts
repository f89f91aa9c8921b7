import { readFileSync } from 'node:fs';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { metricCatalogue } from '../../functions/contracts/metrics.ts';
import { different, everything, synthesize } from './synthesize.ts';

interface Alarm {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly AlarmActions: readonly { readonly Ref: string }[];
  readonly OKActions: readonly unknown[];
  readonly TreatMissingData: string;
}

let template: Template;
let alarms: readonly Alarm[];
beforeAll(() => {
  template = synthesize('prod', { settings: everything });
  alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }) => Properties as Alarm,
  );
});

/** The anchors of a Markdown file's headings, as its viewers make them. */
function anchorsOf(file: string): Set<string> {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  return new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('every alarm', () => {
  it('has a section of its own subject in the runbook, which its text links to', () => {
    const anchors = anchorsOf('docs/operations.md');

    expect(alarms.length).toBeGreaterThanOrEqual(18);
    for (const { AlarmName, AlarmDescription } of alarms) {
      const [, anchor = ''] = / https:\/\/wiki\.example\.com\/login#(\S+)$/.exec(AlarmDescription) ?? [];
      expect(anchors, AlarmName).toContain(anchor);
    }
  });

  it('is looked into with queries that do not take lines of metrics for requests', () => {
    const runbook = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
    const filters = [...runbook.matchAll(/'filter ([^'|]*\b(?:outcome|decision) =[^'|]*)/g)].map(
      ([, filter]) => filter,
    );

    expect(filters.length).toBeGreaterThan(3);
    for (const filter of filters) expect(filter).toMatch(/^message = "(request|authorized)" and /);
  });

  it('goes to the topic of its severity, an urgent one also when it is over, and is quiet where there is no data', () => {
    for (const { AlarmName, AlarmDescription, AlarmActions, OKActions, TreatMissingData } of alarms) {
      const severity = AlarmDescription.split(':')[0];
      expect(severity, AlarmName).toMatch(/^(urgent|notice)$/);
      expect(AlarmActions, AlarmName).toEqual([
        { Ref: expect.stringMatching(new RegExp(`^AlarmTopics${severity}`)) },
      ]);
      expect(OKActions, AlarmName).toEqual(severity === 'urgent' ? AlarmActions : undefined);
      // The metric of a certificate ends with the certificate, which is not the end of the trouble.
      expect(TreatMissingData, AlarmName).toBe(
        AlarmName.endsWith('CertificateExpires') ? 'ignore' : 'notBreaching',
      );
    }
  });

  it('wakes somebody only when users cannot log in, or cannot use their login', () => {
    const urgent = alarms.filter(({ AlarmDescription }) => AlarmDescription.startsWith('urgent:'));

    expect(urgent.map(({ AlarmName }) => AlarmName.replace('wechat-login-prod-', '')).sort()).toEqual([
      'AuthorizerFailures',
      'FunctionThrottles',
      'LoginFailures',
      'ServerErrors',
      'WechatMisconfigured',
    ]);
  });

  it('fires at the threshold, and after the periods, that are meant', () => {
    const operators: Record<string, string> = {
      GreaterThanOrEqualToThreshold: '>=',
      LessThanThreshold: '<',
    };
    const conditions = alarms.map((alarm) => {
      const { AlarmName, ComparisonOperator, Threshold, DatapointsToAlarm, EvaluationPeriods } =
        alarm as unknown as Record<string, string>;
      const [, seconds] = /"Period":(\d+)/.exec(JSON.stringify(alarm)) ?? [];
      return `${AlarmName?.replace('wechat-login-prod-', '')} ${operators[ComparisonOperator ?? '']} ${Threshold}, ${DatapointsToAlarm} of ${EvaluationPeriods} x ${seconds} s`;
    });

    expect(conditions.sort()).toEqual([
      'AccessTokensFail >= 3, 1 of 1 x 300 s',
      'AccountFunctionErrors >= 1, 2 of 5 x 60 s',
      'AuthorizerFailures >= 5, 3 of 5 x 60 s',
      'CertificateExpires < 20, 1 of 1 x 86400 s',
      'DatabaseThrottles >= 5, 2 of 2 x 300 s',
      'EventsRefused >= 3, 1 of 1 x 3600 s',
      'FunctionThrottles >= 10, 2 of 2 x 300 s',
      'InternalErrors >= 1, 1 of 15 x 60 s',
      'LastingFailures >= 1, 3 of 36 x 300 s',
      'LastingLoginFailures >= 50, 1 of 1 x 10800 s',
      'LoginFailures >= 25, 2 of 2 x 300 s',
      'LoginFunctionErrors >= 1, 2 of 5 x 60 s',
      'LoginLatency >= 3000, 3 of 3 x 300 s',
      'ManyErasures >= 100, 1 of 1 x 3600 s',
      'MemberFunctionErrors >= 1, 2 of 5 x 60 s',
      'RequestsThrottled >= 50, 1 of 1 x 300 s',
      'RotationFailed >= 1, 1 of 288 x 300 s',
      'ServerErrors >= 5, 3 of 5 x 60 s',
      'SigningKeyTooOld >= 5356800, 1 of 288 x 300 s',
      'Unavailable >= 1, 2 of 5 x 60 s',
      'WechatMisconfigured >= 1, 1 of 60 x 60 s',
      'WechatRateLimited >= 5, 1 of 1 x 300 s',
      'WechatUnavailable >= 5, 1 of 1 x 300 s',
    ]);
  });

  it('that says a certificate expires looks at the least of the days', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: 'DaysToExpiry',
      Statistic: 'Minimum',
    });
  });

  it('that says a key is too old counts with the rotation period of the stage', () => {
    synthesize('dev', { settings: different }).hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'wechat-login-dev-SigningKeyTooOld',
      Threshold: 22 * 86_400,
    });
  });
});

describe('what AWS measures', () => {
  interface Watched {
    readonly Namespace: string;
    readonly MetricName: string;
    readonly Dimensions: readonly { readonly Name: string; readonly Value: unknown }[];
  }
  type Metrics = readonly {
    readonly Id: string;
    readonly Expression?: string;
    readonly MetricStat?: { readonly Metric: Watched };
  }[];

  const metricsOf = (alarm: Alarm): Metrics => (alarm as unknown as { Metrics?: Metrics }).Metrics ?? [];
  const watchedBy = (alarm: Alarm): readonly Watched[] => [
    alarm as unknown as Watched,
    ...metricsOf(alarm).flatMap(({ MetricStat }) => MetricStat?.Metric ?? []),
  ];
  const alarmOf = (name: string): Alarm => {
    const found = alarms.find(({ AlarmName }) => AlarmName === `wechat-login-prod-${name}`);
    if (found === undefined) throw new Error(`There is no alarm ${name}`);
    return found;
  };
  const formulaOf = (name: string): string =>
    metricsOf(alarmOf(name))
      .map(({ Expression = '' }) => Expression)
      .join('');

  it('is watched under the names that API, functions and table really have', () => {
    const find = (type: string, named = /./): { id: string; properties: Record<string, unknown> } => {
      const [found] = Object.entries(template.findResources(type)).filter(([id]) => named.test(id));
      if (found === undefined) throw new Error(`There is no ${type}`);
      return { id: found[0], properties: found[1].Properties };
    };
    const table = find('AWS::DynamoDB::GlobalTable');
    const [index] = table.properties.GlobalSecondaryIndexes as [{ IndexName: string }];
    const aliasOf = new Map(
      ['Login', 'Member', 'Account', 'Authorizer'].map((name) => {
        const { FunctionName, Name } = find('AWS::Lambda::Alias', new RegExp(`^${name}Live`)).properties;
        return [JSON.stringify(FunctionName), Name];
      }),
    );
    const real: Record<string, (dimensions: Record<string, unknown>) => object> = {
      'AWS/ApiGateway': () => ({
        ApiName: find('AWS::ApiGateway::RestApi').properties.Name,
        Stage: find('AWS::ApiGateway::Stage').properties.StageName,
      }),
      'AWS/CertificateManager': () => ({ CertificateArn: everything.customDomain.certificateArn }),
      'AWS/DynamoDB': ({ GlobalSecondaryIndexName }) => ({
        TableName: { Ref: table.id },
        ...(GlobalSecondaryIndexName !== undefined && { GlobalSecondaryIndexName: index.IndexName }),
      }),
      'AWS/Lambda': ({ FunctionName, Resource }) => ({
        FunctionName,
        ...(Resource !== undefined && {
          Resource: { 'Fn::Join': ['', [FunctionName, `:${aliasOf.get(JSON.stringify(FunctionName))}`]] },
        }),
      }),
    };

    const watched = alarms.flatMap(watchedBy).filter(({ Namespace = '' }) => Namespace.startsWith('AWS/'));
    expect(watched.length).toBeGreaterThan(10);
    for (const { Namespace, MetricName, Dimensions } of watched) {
      const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));
      expect(dimensions, `${Namespace} ${MetricName}`).toEqual(real[Namespace]?.(dimensions));
    }
  });

  it('is fetched only for a formula that has it', () => {
    for (const alarm of alarms)
      for (const { Id } of metricsOf(alarm).filter(({ MetricStat }) => MetricStat !== undefined))
        expect(formulaOf(alarm.AlarmName.replace('wechat-login-prod-', ''))).toMatch(
          new RegExp(`\\b${Id}\\b`),
        );
  });

  it('counts for logins and tokens where a function could record nothing itself', () => {
    expect(formulaOf('LoginFailures')).toContain('FILL(crashed, 0)');
    expect(watchedBy(alarmOf('LoginFailures')).map(({ MetricName }) => MetricName)).toContain('Errors');
    expect(watchedBy(alarmOf('AuthorizerFailures')).map(({ MetricName }) => MetricName)).toContain(
      'Invocations',
    );
  });

  it('is a rate only from enough failures on', () => {
    const floors = ['LoginFailures', 'LastingLoginFailures', 'ServerErrors', 'AuthorizerFailures'].map(
      (name) => `${name}: ${/>= \d+, 100 \*/.exec(formulaOf(name))}`,
    );

    expect(floors).toEqual([
      'LoginFailures: >= 5, 100 *',
      'LastingLoginFailures: >= 3, 100 *',
      'ServerErrors: >= 5, 100 *',
      'AuthorizerFailures: >= 3, 100 *',
    ]);
  });

  it('takes a version back while it has a tenth of the requests, and never for a bad day at WeChat', () => {
    const resources = template.findResources('AWS::CloudWatch::Alarm');
    const rollbackAlarms = Object.values(template.findResources('AWS::CodeDeploy::DeploymentGroup')).flatMap(
      ({ Properties }) => Properties.AlarmConfiguration.Alarms as { Name: { Ref: string } }[],
    );

    expect(rollbackAlarms.length).toBeGreaterThan(0);
    for (const { Name } of rollbackAlarms) {
      const alarm = resources[Name.Ref]?.Properties;
      for (const period of JSON.stringify(alarm).match(/"Period":\d+/g) ?? []) {
        const seconds = Number(period.replace('"Period":', '')) * alarm.DatapointsToAlarm;
        expect(seconds, alarm.AlarmName).toBeLessThanOrEqual(180);
      }
    }
    for (const { Name } of rollbackAlarms) expect(JSON.stringify(resources[Name.Ref])).not.toMatch(/wechat_/);
  });

  it('of a 5xx is not relied on: whoever answers it counts it, function or API Gateway', () => {
    const counted = (name: string) =>
      watchedBy(alarmOf(name))
        .filter(({ Namespace }) => Namespace === 'WechatLogin')
        .map(({ MetricName, Dimensions }) => [MetricName, Dimensions.map(({ Value }) => Value).sort()]);
    const failures = [
      ['Failures', ['internal', 'wechat-login-prod']],
      ['Failures', ['unavailable', 'wechat-login-prod']],
      ['GatewayFailures', ['wechat-login-prod']],
    ];

    expect(counted('ServerErrors').sort()).toEqual(failures);
    expect(counted('LastingFailures').sort()).toEqual([
      ['AuthorizerDecisions', ['none', 'wechat-login-prod']],
      ...failures,
    ]);
  });
});

describe('the topics', () => {
  it('let the alarms of this account in and send mail to whom the stage names', () => {
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Allow',
            Action: 'sns:Publish',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          }),
        ]),
      },
    });
    for (const [severity, Endpoint] of [
      ['urgent', 'night@example.com'],
      ['notice', 'day@example.com'],
    ] as const)
      template.hasResourceProperties('AWS::SNS::Subscription', {
        Protocol: 'email',
        Endpoint,
        TopicArn: { Ref: Match.stringLikeRegexp(`^AlarmTopics${severity}`) },
      });
  });
});

describe('a stage that names nobody to tell', () => {
  it('says so at the end of each deployment', () => {
    // A deployment ends with the outputs' values; it does not show their descriptions.
    for (const [output, email] of [
      ['UrgentAlarmsReach', 'night@example.com'],
      ['NoticeAlarmsReach', 'day@example.com'],
    ] as const) {
      synthesize('prod').hasOutput(output, { Value: Match.stringLikeRegexp('^NOBODY yet') });
      template.hasOutput(output, { Value: `${email}, once they have confirmed` });
    }
  });
});

describe('the dashboard', () => {
  it('shows every metric that the service has, and the alarms', () => {
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    const body = JSON.stringify(dashboard?.Properties.DashboardBody);

    for (const name of Object.keys(metricCatalogue)) expect(body).toContain(name);
    for (const id of Object.keys(template.findResources('AWS::CloudWatch::Alarm')))
      expect(body).toContain(id);
  });

  it('is linked from what the deployment prints, in the console of its partition', () => {
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    const { 'Fn::Join': [, [service, region]] = ['', []] } = dashboard?.Properties.DashboardName ?? {};
    template.hasOutput('DashboardUrl', {
      Value: {
        'Fn::Join': [
          '',
          [
            'https://',
            { 'Fn::FindInMap': Match.anyValue() },
            '/cloudwatch/home?region=',
            region,
            `#dashboards/dashboard/${service}`,
            region,
          ],
        ],
      },
    });
    template.hasMapping('*', {
      aws: { domain: 'console.aws.amazon.com' },
      'aws-cn': { domain: 'console.amazonaws.cn' },
    });
  });
});
