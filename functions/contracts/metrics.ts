/**
 * The metrics, once: what the functions record, the alarms watch and the dashboard shows. A name that is changed in one
 * place and not in the other would be an alarm that never fires.
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
  /** Logins, by the envelope's `error`, or `ok`. */
  Logins: { unit: 'Count', dimension: 'outcome' },
  /** From the request to the response, however the login ended. */
  LoginDuration: { unit: 'Milliseconds' },
  /** Logins that created their user. */
  NewUsers: { unit: 'Count' },
  /** Codes that had been exchanged a moment before, whether they logged in again or their login had ended. */
  RepeatedCodes: { unit: 'Count' },
  /** Exchanges of a code, by the error of the catalogue that WeChat's errcode stands for, or `ok`. */
  WechatExchanges: { unit: 'Count', dimension: 'wechat_outcome' },
  /** Time spent on an exchange, over all hosts and retries. */
  WechatDuration: { unit: 'Milliseconds' },
  /** Messages of WeChat's push, by what came of them. */
  PushMessages: { unit: 'Count', dimension: 'result' },
  /** Access tokens that could not be fetched from WeChat. */
  AccessTokenFailures: { unit: 'Count' },
  /** Users erased by the service, by who ordered it: `member`, `wechat`, or `schedule`, when a grace period was over. */
  Erasures: { unit: 'Count', dimension: 'by' },
  /** Age of the key that signed a token. */
  SigningKeyAge: { unit: 'Seconds' },
  /** Responses of our functions with `internal` or `unavailable`, by the envelope's `error`; WeChat's failures are not in it. */
  Failures: { unit: 'Count', dimension: 'error' },
  /** What the authorizer decided: `allow`, `refuse` (401), `deny` (403), or `none`, when it could not decide (5xx). */
  AuthorizerDecisions: { unit: 'Count', dimension: 'decision' },
  /** Tokens refused or denied, by the reason in the log line. */
  TokenRefusals: { unit: 'Count', dimension: 'reason' },
  /** Requests that API Gateway turned away because there were too many; counted from its access log. */
  ThrottledRequests: { unit: 'Count' },
  /** Responses of 500 or more that no function made: API Gateway's own, and the documents'; counted from its access log. */
  GatewayFailures: { unit: 'Count' },
} as const satisfies Record<string, MetricEntry>;

/** Why a push message was refused; for the log and the metric alone. */
export type PushRefusalReason =
  /** No Token is filled in for the AppID of the path. */
  | 'not_served'
  /** A parameter of the query is missing, malformed or given twice. */
  | 'unsigned'
  /** The signature is wrong. */
  | 'signature'
  /** Signed too long ago, or ahead of our clock. */
  | 'timestamp'
  /** The signature was used before, for something else. */
  | 'replayed'
  /** The body is neither JSON nor XML as WeChat sends them. */
  | 'unreadable'
  /** Encrypted, and no usable EncodingAESKey is filled in for the AppID. */
  | 'no_key'
  /** Encrypted with another key, for another AppID, or not at all. */
  | 'undecryptable';

/** What came of a push message. */
export type PushResult = 'verified' | 'acted' | 'repeated' | 'no_effect' | 'unknown' | PushRefusalReason;

/** Why there is no valid token: a closed set of words, because each is a metric to pay, and none may come from outside. */
export type RefusalReason =
  | 'missing_token'
  | 'duplicate_header'
  | 'malformed'
  | 'bad_header'
  | 'wrong_algorithm'
  | 'wrong_type'
  | 'unknown_key'
  | 'bad_signature'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'not_yet_valid'
  | 'expired'
  | 'bad_claims';

/** Name of a metric. */
export type MetricName = keyof typeof metricCatalogue;

/** Name of a metric that counts by a dimension of its own. */
export type CountedMetric = {
  [N in MetricName]: (typeof metricCatalogue)[N] extends { dimension: string } ? N : never;
}[MetricName];
