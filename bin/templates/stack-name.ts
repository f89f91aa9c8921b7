/** What the stack of a stage is called: the CDK app names it, and the commands find it by that. */
export const stackName = (stage: string): string => `WechatLogin-${stage}`;
