/** API Gateway's own refusals in the service's envelope: clients never meet a second format. */
import { ResponseType, type RestApi } from 'aws-cdk-lib/aws-apigateway';
import { errorEnvelope } from '../../functions/contracts/envelope.ts';
import { bothTexts, DENIAL_TEXT, type ErrorCode, errorCatalogue } from '../../functions/contracts/errors.ts';
import { errorHeaders } from '../../functions/contracts/response-headers.ts';

/**
 * Which of our errors each refusal is. Those not named fall under the two defaults.
 * Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
 */
const refusals: readonly (readonly [ResponseType, ErrorCode])[] = [
  [ResponseType.DEFAULT_4XX, 'invalid_request'],
  [ResponseType.DEFAULT_5XX, 'internal'],
  // An unknown path or method: API Gateway calls it a missing token because it might have been a signed route.
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, 'not_found'],
  [ResponseType.RESOURCE_NOT_FOUND, 'not_found'],
  [ResponseType.UNAUTHORIZED, 'unauthorized'],
  [ResponseType.INVALID_SIGNATURE, 'unauthorized'],
  [ResponseType.EXPIRED_TOKEN, 'unauthorized'],
  [ResponseType.ACCESS_DENIED, 'forbidden'],
  [ResponseType.INVALID_API_KEY, 'forbidden'],
  [ResponseType.WAF_FILTERED, 'forbidden'],
  [ResponseType.REQUEST_TOO_LARGE, 'payload_too_large'],
  [ResponseType.UNSUPPORTED_MEDIA_TYPE, 'unsupported_media_type'],
  [ResponseType.THROTTLED, 'rate_limited'],
  [ResponseType.QUOTA_EXCEEDED, 'rate_limited'],
  // Trouble of ours: never to be taken for a bad token or a bad request.
  [ResponseType.AUTHORIZER_FAILURE, 'unavailable'],
  // API Gateway's name for any failure of the authorizer function, such as a table it cannot read.
  [ResponseType.AUTHORIZER_CONFIGURATION_ERROR, 'unavailable'],
  [ResponseType.INTEGRATION_FAILURE, 'unavailable'],
  [ResponseType.INTEGRATION_TIMEOUT, 'unavailable'],
];

const REQUEST_ID = '$context.requestId';

/**
 * JSON in ASCII: CloudFormation deploys other characters well, but gives them back as question marks, and a change of
 * text alone would be invisible in `cdk diff`.
 */
const asciiJson = (value: object): string =>
  JSON.stringify(value).replaceAll(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/** The envelope of an error, in both languages: what sends it by itself cannot look at `Accept-Language`. */
export const errorText = (error: ErrorCode, requestId: string): string => {
  const { status } = errorCatalogue[error];
  return asciiJson(errorEnvelope(status, bothTexts(error), error, requestId));
};

/** The same as a template that API Gateway fills in. */
export const envelopeTemplate = (error: ErrorCode): string => errorText(error, REQUEST_ID);

/**
 * Our authorizer denies a token with a reason, revoked or banned, whose name it puts into its context. In which encoding
 * other text would come out of there is documented nowhere.
 */
const denialTemplate = asciiJson(
  errorEnvelope(errorCatalogue.forbidden.status, DENIAL_TEXT, '$context.authorizer.error', REQUEST_ID),
);

/** Gives every refusal of the API our envelope. */
export function addGatewayResponses(api: RestApi): void {
  for (const [type, error] of refusals) {
    api.addGatewayResponse(type.responseType, {
      type,
      statusCode: String(errorCatalogue[error].status),
      responseHeaders: Object.fromEntries(
        Object.entries(errorHeaders(error)).map(([name, value]) => [name, `'${value}'`]),
      ),
      templates: {
        'application/json': type === ResponseType.ACCESS_DENIED ? denialTemplate : envelopeTemplate(error),
      },
    });
  }
}
