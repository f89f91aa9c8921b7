/**
 * The SSM parameters of a stage: how other stacks of its account learn to trust its tokens, and how the operator
 * commands find its parts.
 */

/** What a stage publishes. */
export const stageParameters = [
  'issuer',
  'audience',
  'jwks-url',
  'authorizer-arn',
  'users-table',
  'key-ring-arn',
  'key-rotation-days',
  'wechat-secrets-arn',
  'appids',
  'login-log-group',
] as const;

/** One of the values a stage publishes. */
export type StageParameter = (typeof stageParameters)[number];

/** What the names of all parameters of a stage begin with. */
export const stageParametersPath = (stage: string): string => `/wechat-login/${stage}/`;

/** The parameter's name, such as `/wechat-login/prod/issuer`. */
export const stageParameterName = (stage: string, parameter: StageParameter): string =>
  `${stageParametersPath(stage)}${parameter}`;
