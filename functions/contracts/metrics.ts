/**
 * The metrics, once: what the functions record, the alarms watch and the dashboard shows. A name that is changed in one
 * place and not in the other would be an alarm that never rings.
 */

/** CloudWatch namespace of everything the service records about itself. */
export const METRICS_NAMESPACE = 'WechatLogin';

/** The dimension that every metric has: which deployment it is of. Its value is a function's `POWERTOOLS_SERVICE_NAME`. */
export const SERVICE_DIMENSION = 'service';

/** What one deployment of a stage calls itself in metrics and log lines. */
export const serviceName = (stage: string): string => `wechat-login-${stage}`;

/** What one metric counts or measures. */
export interface MetricEntry {
  readonly unit: 'Count' | 'Milliseconds' | 'Seconds';
  /** Its dimension beside {@link SERVICE_DIMENSION}; absent where there is none. */
  readonly dimension?: string;
}

export const metricCatalogue = {
  /** Answered logins, by the envelope's `error`, or `ok`. */
  Logins: { unit: 'Count', dimension: 'outcome' },
  /** From the event to the answer, whatever it is. */
  LoginDuration: { unit: 'Milliseconds' },
  /** Logins that created their user. */
  NewUsers: { unit: 'Count' },
  /** Exchanges of a code, by the class of WeChat's errcode (a code of the error catalogue), or `ok`. */
  WechatExchanges: { unit: 'Count', dimension: 'outcome' },
  /** Time spent on an exchange, over all hosts and retries. */
  WechatDuration: { unit: 'Milliseconds' },
  /** Age of the key that signed a token. */
  SigningKeyAge: { unit: 'Seconds' },
  /** Answers of any route whose status is 500 or more and which are not WeChat's doing, by the envelope's `error`. */
  Failures: { unit: 'Count', dimension: 'error' },
  /** Verdicts of the authorizer: `allow`, `refuse` (401), `deny` (403), or `none`, when there is no verdict (5xx). */
  AuthorizerDecisions: { unit: 'Count', dimension: 'decision' },
  /** Tokens refused or denied, by the reason in the log line. */
  TokenRefusals: { unit: 'Count', dimension: 'reason' },
  /** Requests that API Gateway turned away because there were too many; counted from its access log. */
  ThrottledRequests: { unit: 'Count' },
  /** Answers of 500 or more that no function made: API Gateway's own, and the documents'; counted from its access log. */
  GatewayFailures: { unit: 'Count' },
} as const satisfies Record<string, MetricEntry>;

/** Name of a metric. */
export type MetricName = keyof typeof metricCatalogue;

/** Name of a metric that counts by a dimension of its own. */
export type CountedMetric = {
  [N in MetricName]: (typeof metricCatalogue)[N] extends { dimension: string } ? N : never;
}[MetricName];
