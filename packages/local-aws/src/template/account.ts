/** The one account and region of this machine, and how ARNs name them. */

/** The account that every ARN names. */
export const ACCOUNT_ID = '000000000000';

/** The region that is emulated. */
export const REGION = 'us-east-1';

/** An ARN; services without regions or accounts leave those parts empty. */
export const arnOf = (service: string, resource: string, region = REGION, account = ACCOUNT_ID): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`;

/** ARN of an API of any kind, by its id: what permissions and policies name. */
export const apiArnOf = (apiId: string): string => arnOf('execute-api', apiId);
