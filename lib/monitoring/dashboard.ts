/** One page that says at a glance whether people can log in, and if not, whose fault it is. */
import { Aws, CfnMapping, Duration, Fn, Stack } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  Metric,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import {
  type CountedMetric,
  METRICS_NAMESPACE,
  type MetricName,
  metricCatalogue,
  SERVICE_DIMENSION,
} from '../../functions/contracts/metrics.ts';
import type { WatchedParts } from './alarm-metrics.ts';
import type { Alarms } from './alarms.ts';
import { serviceMetric } from './service-metrics.ts';

export interface DashboardProps {
  readonly parts: WatchedParts;
  readonly alarms: Alarms;
  readonly runbookUrl: string;
}

/** The console of each partition. */
const consoles = {
  aws: { domain: 'console.aws.amazon.com' },
  'aws-cn': { domain: 'console.amazonaws.cn' },
};

/** A dashboard of CloudWatch. */
export class Dashboard extends Construct {
  /** Where a person looks at it. */
  readonly url: string;

  constructor(scope: Construct, id: string, { parts, alarms, runbookUrl }: DashboardProps) {
    super(scope, id);
    // Names of dashboards belong to the account, in all of its regions.
    const dashboardName = `${parts.service}-${Stack.of(this).region}`;
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName,
      defaultInterval: Duration.hours(3),
      widgets: rowsFor(parts, alarms, runbookUrl),
    });
    const console = new CfnMapping(this, 'Console', { mapping: consoles });
    this.url = Fn.join('', [
      'https://',
      console.findInMap(Aws.PARTITION, 'domain'),
      `/cloudwatch/home?region=${Aws.REGION}#dashboards/dashboard/${dashboardName}`,
    ]);
  }
}

const HEIGHT = 6;

function rowsFor(parts: WatchedParts, alarms: Alarms, runbookUrl: string): IWidget[][] {
  const { service, api, functions } = parts;
  const own = (name: MetricName, statistic: string, label: string): Metric =>
    serviceMetric(service, name, { statistic, label });
  const aws = (
    namespace: string,
    metricName: string,
    dimensions: Readonly<Record<string, string>>,
    view: { statistic: string; label: string },
  ): Metric =>
    new Metric({ namespace, metricName, dimensionsMap: { ...dimensions }, period: FIVE_MINUTES, ...view });
  const table = (metricName: string, label: string): Metric =>
    aws('AWS/DynamoDB', metricName, { TableName: parts.tableName }, { statistic: 'Sum', label });
  const watched = { ...functions, rotation: parts.rotation };
  const functionsOf = (
    metricName: string,
    statistic: string,
    names = Object.keys(watched) as (keyof typeof watched)[],
  ): IMetric[] =>
    names.map((name) => aws('AWS/Lambda', metricName, watched[name], { statistic, label: name }));
  return [
    [
      new TextWidget({
        width: 24,
        height: 2,
        markdown: `# ${service}\nRed below? The alarm's text links to its section of the runbook: ${runbookUrl}`,
      }),
    ],
    [
      new AlarmStatusWidget({
        title: 'Alarms, the urgent ones first',
        width: 24,
        height: 4,
        alarms: [...alarms.all],
      }),
    ],
    [
      graph('Can people log in? Logins by outcome', [grouped(service, 'Logins')], {
        stacked: true,
        width: 12,
      }),
      graph('Is it WeChat? Exchanges by outcome', [grouped(service, 'WechatExchanges')], {
        stacked: true,
        width: 12,
      }),
    ],
    [
      graph('How long does a login take? (ms)', [
        own('LoginDuration', 'p50', 'login, half of them'),
        own('LoginDuration', 'p99', 'login, 99 in 100'),
        own('WechatDuration', 'p50', 'of it WeChat, half of them'),
        own('WechatDuration', 'p99', 'of it WeChat, 99 in 100'),
      ]),
      graph('Is it us? Answers with 5xx, by error', [
        grouped(service, 'Failures'),
        own('GatewayFailures', 'Sum', 'API Gateway'),
      ]),
      graph('All requests', [
        aws('AWS/ApiGateway', 'Count', api, { statistic: 'SampleCount', label: 'requests' }),
        aws('AWS/ApiGateway', '4XXError', api, { statistic: 'Sum', label: '4xx' }),
        own('ThrottledRequests', 'Sum', 'throttled'),
      ]),
    ],
    [
      graph('What does the authorizer say?', [grouped(service, 'AuthorizerDecisions')], { stacked: true }),
      graph('Why are tokens refused?', [grouped(service, 'TokenRefusals')], { stacked: true }),
      new SingleValueWidget({
        title: 'New users, codes that came again, and the age of the signing key (s)',
        width: 8,
        height: HEIGHT,
        metrics: [
          own('NewUsers', 'Sum', 'new users'),
          own('RepeatedCodes', 'Sum', 'repeated codes'),
          own('SigningKeyAge', 'Maximum', 'key age'),
        ],
      }),
    ],
    [
      graph("What does WeChat's push say?", [grouped(service, 'PushMessages')], { stacked: true }),
      graph('Does WeChat give access tokens?', [own('AccessTokenFailures', 'Sum', 'not fetched')]),
      graph('Who is erased?', [grouped(service, 'Erasures')], { stacked: true }),
    ],
    [
      // Not the authorizer, which says 401 by an error: that is its contract with API Gateway.
      graph(
        'Functions: crashes and time-outs',
        functionsOf('Errors', 'Sum', ['login', 'member', 'account', 'rotation']),
      ),
      graph('Functions: throttled', functionsOf('Throttles', 'Sum')),
      graph('Functions: environments at once', functionsOf('ConcurrentExecutions', 'Maximum')),
    ],
    [
      graph(
        'Table: capacity used',
        [
          table('ConsumedReadCapacityUnits', 'read units'),
          table('ConsumedWriteCapacityUnits', 'write units'),
        ],
        { width: 12 },
      ),
      graph(
        'Table: throttled',
        [table('ReadThrottleEvents', 'reads'), table('WriteThrottleEvents', 'writes')],
        { width: 12 },
      ),
    ],
  ];
}

const FIVE_MINUTES = Duration.minutes(5);

function graph(
  title: string,
  left: IMetric[],
  { width = 8, stacked = false }: { width?: number; stacked?: boolean } = {},
): GraphWidget {
  return new GraphWidget({ title, left, width, height: HEIGHT, stacked, leftYAxis: { min: 0 } });
}

/** Every value of a metric's dimension that there has been, also one that is new. */
function grouped(service: string, name: CountedMetric): IMetric {
  const { dimension } = metricCatalogue[name];
  const schema = `{${METRICS_NAMESPACE},${SERVICE_DIMENSION},${dimension}}`;
  return new MathExpression({
    expression: `SEARCH('${schema} MetricName="${name}" ${SERVICE_DIMENSION}="${service}"', 'Sum')`,
    usingMetrics: {},
    period: FIVE_MINUTES,
    label: '',
  });
}
