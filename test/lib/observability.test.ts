import { readFileSync } from 'node:fs';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { metricCatalogue } from '../../functions/metrics/catalogue.ts';
import { everything, synthesize } from './synthesize.ts';

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
  template = synthesize('prod', {
    settings: { ...everything, runbookUrl: 'https://wiki.example.com/login' },
  });
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

    expect(alarms.length).toBeGreaterThanOrEqual(15);
    for (const { AlarmName, AlarmDescription } of alarms) {
      const [, anchor = ''] = / https:\/\/wiki\.example\.com\/login#(\S+)$/.exec(AlarmDescription) ?? [];
      expect(anchors, AlarmName).toContain(anchor);
    }
  });

  it('goes to the topic of its severity, also when it is over, and is quiet where there is no data', () => {
    for (const { AlarmName, AlarmDescription, AlarmActions, OKActions, TreatMissingData } of alarms) {
      const severity = AlarmDescription.split(':')[0];
      expect(severity, AlarmName).toMatch(/^(urgent|notice)$/);
      expect(AlarmActions, AlarmName).toEqual([
        { Ref: expect.stringMatching(new RegExp(`^AlarmTopics${severity}`)) },
      ]);
      expect(OKActions, AlarmName).toEqual(AlarmActions);
      expect(TreatMissingData, AlarmName).toBe('notBreaching');
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

  it('that says WeChat is set up wrongly rings at the first login that is refused', () => {
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'wechat-login-prod-WechatMisconfigured',
      Threshold: 1,
      EvaluationPeriods: 1,
      Period: 60,
      Statistic: 'Sum',
    });
  });

  it('that says a key is too old counts with the rotation period of the stage', () => {
    const stage = synthesize('prod', { settings: { keyRotationDays: 10 } });

    stage.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'wechat-login-prod-SigningKeyTooOld',
      Threshold: 22 * 86_400,
    });
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

describe('the dashboard', () => {
  it('shows every metric that the service has, and the alarms', () => {
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    const body = JSON.stringify(dashboard?.Properties.DashboardBody);

    for (const name of Object.keys(metricCatalogue)) expect(body).toContain(name);
    for (const id of Object.keys(template.findResources('AWS::CloudWatch::Alarm')))
      expect(body).toContain(id);
  });

  it('is linked from what the deployment prints, in the console of its partition', () => {
    template.hasOutput('DashboardUrl', {
      Value: { 'Fn::Join': ['', Match.arrayWith([{ 'Fn::FindInMap': Match.anyValue() }])] },
    });
    template.hasMapping('*', {
      aws: { domain: 'console.aws.amazon.com' },
      'aws-cn': { domain: 'console.amazonaws.cn' },
    });
  });
});
