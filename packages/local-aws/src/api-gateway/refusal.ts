/** The reasons why the gateway itself refuses a request, by API Gateway's own names. */
import type { ApiResponse, GatewayResult, HeaderLine } from './response.ts';

/** Status and `x-amzn-ErrorType` of each type unless the template says otherwise. https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html */
export const refusalTypes = {
  ACCESS_DENIED: [403, 'AccessDeniedException'],
  API_CONFIGURATION_ERROR: [500, 'InternalServerErrorException'],
  AUTHORIZER_CONFIGURATION_ERROR: [500, 'AuthorizerConfigurationException'],
  AUTHORIZER_FAILURE: [500, 'AuthorizerConfigurationException'],
  BAD_REQUEST_BODY: [400, 'BadRequestException'],
  BAD_REQUEST_PARAMETERS: [400, 'BadRequestException'],
  DEFAULT_4XX: [400, 'BadRequestException'],
  DEFAULT_5XX: [500, 'InternalServerErrorException'],
  EXPIRED_TOKEN: [403, 'ExpiredTokenException'],
  INTEGRATION_FAILURE: [504, 'InternalServerErrorException'],
  INTEGRATION_TIMEOUT: [504, 'InternalServerErrorException'],
  INVALID_API_KEY: [403, 'ForbiddenException'],
  INVALID_SIGNATURE: [403, 'InvalidSignatureException'],
  MISSING_AUTHENTICATION_TOKEN: [403, 'MissingAuthenticationTokenException'],
  QUOTA_EXCEEDED: [429, 'LimitExceededException'],
  REQUEST_TOO_LARGE: [413, 'RequestTooLargeException'],
  RESOURCE_NOT_FOUND: [404, 'NotFoundException'],
  THROTTLED: [429, 'TooManyRequestsException'],
  UNAUTHORIZED: [401, 'UnauthorizedException'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'BadRequestException'],
  WAF_FILTERED: [403, 'ForbiddenException'],
} as const satisfies Record<string, readonly [status: number, errorType: string]>;

/** Why the gateway refuses: API Gateway's own names. */
type RefusalType = keyof typeof refusalTypes;

/** A request that the gateway refuses. */
export class Refusal extends Error {
  readonly type: RefusalType;
  /** Status of a refusal that has no type of its own. */
  readonly status: number;
  /** `$context.error.message`; API Gateway leaves it empty when an authorizer fails. */
  readonly text: string | null;
  /** Header lines that say more. */
  readonly headers: readonly HeaderLine[];

  /** @param more `cause` is what went wrong in the local run itself, when that is why */
  constructor(
    type: RefusalType,
    text: string | null,
    more: {
      readonly status?: number;
      readonly headers?: readonly HeaderLine[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(`${type}: ${text}`, { cause: more.cause });
    this.name = 'Refusal';
    this.type = type;
    this.status = more.status ?? refusalTypes[type][0];
    this.text = text;
    this.headers = more.headers ?? [];
  }
}

/** The refusal of a failed request; any other error is a fault of the local run. */
export function refusalFor(error: unknown): Refusal {
  return error instanceof Refusal
    ? error
    : new Refusal('DEFAULT_5XX', 'Internal server error', { cause: error });
}

/** A refusal in its final words. */
export function refused(refusal: Refusal, response: ApiResponse): GatewayResult {
  const fault = refusal.cause === undefined ? {} : { fault: String(refusal.cause) };
  return { response, refusal: refusal.type, ...fault };
}
