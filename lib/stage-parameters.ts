/** The SSM parameters by which a stage tells other stacks of its account how to trust its tokens. */

/** What a stage publishes. */
export const stageParameters = ['issuer', 'audience', 'jwks-url', 'authorizer-arn'] as const;

/** One of the values a stage publishes. */
export type StageParameter = (typeof stageParameters)[number];

/** The parameter's name, such as `/wechat-login/prod/issuer`. */
export const stageParameterName = (stage: string, parameter: StageParameter): string =>
  `/wechat-login/${stage}/${parameter}`;
