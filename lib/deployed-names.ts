/** How a deployment's parts are found by name, once for the stack that makes them and the commands that look for them. */

/** Name of a stage's stack. */
export const stackNameOf = (stage: string): string => `WechatLogin-${stage}`;

/** Name of the SSM parameter that holds the name of a stack's users table. */
export const usersTableParameter = (stackName: string): string => `/${stackName}/users-table`;
