/** Where alarms are sent to: one topic for what wakes somebody, one for what can wait. */
import { Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { StageSettings } from '../settings.ts';

/** `urgent` wakes somebody; `notice` can wait for the next working day. */
export type Severity = keyof StageSettings['alarmEmails'];

/** The topics, and the e-mail addresses that follow them; a pager subscribes by itself. */
export class AlarmTopics extends Construct {
  readonly topics: Readonly<Record<Severity, Topic>>;

  constructor(scope: Construct, id: string, emails: StageSettings['alarmEmails']) {
    super(scope, id);
    const create = (severity: Severity, displayName: string): Topic => {
      const topic = new Topic(this, severity, { displayName, enforceSSL: true });
      // A topic with its own policy loses the default one, under which the account's services may publish.
      topic.addToResourcePolicy(
        new PolicyStatement({
          principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
          actions: ['sns:Publish'],
          resources: [topic.topicArn],
          conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
        }),
      );
      for (const email of emails[severity])
        Validations.of(topic.addSubscription(new EmailSubscription(email))).acknowledge({
          id: 'Serverless-SNSRedrivePolicy',
          reason:
            'An alarm that no mail server takes is seen on the dashboard; nobody would look for it in a queue.',
        });
      return topic;
    };
    this.topics = {
      urgent: create('urgent', 'WeChat login: urgent'),
      notice: create('notice', 'WeChat login: notice'),
    };
  }
}
