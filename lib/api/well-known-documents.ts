/**
 * The two documents that other teams' verifiers start from, served by API Gateway itself: its own JWT authorizer
 * gives an issuer 1.5 seconds, which a function that starts cold may miss.
 */
import { Fn } from 'aws-cdk-lib';
import {
  AwsIntegration,
  type Integration,
  type MethodResponse,
  MockIntegration,
  PassthroughBehavior,
} from 'aws-cdk-lib/aws-apigateway';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { errorCatalogue } from '../../functions/contracts/errors.ts';
import { errorHeaders, securityHeaders } from '../../functions/contracts/response-headers.ts';
import { type DocumentRoute, documentPath, documentRoute } from '../../functions/contracts/routes.ts';
import { JWKS_ATTRIBUTE, JWKS_KEY, PARTITION_KEY } from '../../functions/contracts/table.ts';
import { TOKEN_ALGORITHM } from '../../functions/contracts/token.ts';
import type { UsersTable } from '../data/users-table.ts';
import { envelopeTemplate } from './gateway-responses.ts';
import { declared, forAnyMediaType, inMethodResponse } from './method-responses.ts';

/** A document as a method of the API. */
export interface ServedDocument {
  readonly integration: Integration;
  readonly methodResponses: MethodResponse[];
}

const headersOf = (document: DocumentRoute['document']) =>
  inMethodResponse({
    'Cache-Control': `public, max-age=${documentRoute(document).maxAgeSeconds}`,
    ...securityHeaders,
  });
const DISCOVERY_HEADERS = headersOf('discovery');

const JWKS_HEADERS = headersOf('jwks');

/** Seconds in `Retry-After` while the keys cannot be read: the first rotation takes a few. */
const RETRY_AFTER_SECONDS = 5;

const UNAVAILABLE_HEADERS = inMethodResponse(errorHeaders('unavailable', RETRY_AFTER_SECONDS));

/** What tokens say, for `claims_supported`. */
const claims = ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'auth_time', 'sid'];

/**
 * The OpenID Provider Metadata (OpenID Connect Discovery 1.0, section 3) of an issuer whose tokens come from a login
 * of its own: every required member but the endpoints that do not exist here.
 *
 * @param issuer the `iss` of tokens; clients compare it exactly
 */
export function discoveryDocument(issuer: string): ServedDocument {
  const document = JSON.stringify({
    issuer,
    jwks_uri: Fn.join('', [issuer, documentPath('jwks')]),
    // Required by the standard; no token is handed out over OAuth here.
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [TOKEN_ALGORITHM],
    claims_supported: claims,
  });
  return {
    integration: new MockIntegration({
      passthroughBehavior: PassthroughBehavior.NEVER,
      requestTemplates: forAnyMediaType('{"statusCode": 200}'),
      integrationResponses: [
        {
          statusCode: '200',
          responseParameters: DISCOVERY_HEADERS,
          responseTemplates: { 'application/json': document },
        },
      ],
    }),
    methodResponses: [{ statusCode: '200', responseParameters: declared(DISCOVERY_HEADERS) }],
  };
}

/**
 * The JWK Set (RFC 7517) out of the item that rotation publishes, as the text it is stored as. API Gateway reads it in
 * a role that may read that item and do nothing else.
 */
export function jwksDocument(scope: Construct, users: UsersTable): ServedDocument {
  const reader = new Role(scope, 'JwksReader', {
    description: 'Lets API Gateway serve the public keys without a function',
    assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
  });
  users.grantItem(reader, JWKS_KEY, 'dynamodb:GetItem');
  const { status } = errorCatalogue.unavailable;
  return {
    integration: new AwsIntegration({
      service: 'dynamodb',
      action: 'GetItem',
      options: {
        credentialsRole: reader,
        // What a client sends must never become the request to DynamoDB.
        passthroughBehavior: PassthroughBehavior.NEVER,
        requestTemplates: forAnyMediaType(
          JSON.stringify({
            TableName: users.tableName,
            Key: { [PARTITION_KEY]: { S: JWKS_KEY } },
            ProjectionExpression: JWKS_ATTRIBUTE,
          }),
        ),
        integrationResponses: [
          {
            selectionPattern: '200',
            statusCode: '200',
            responseParameters: JWKS_HEADERS,
            responseTemplates: { 'application/json': publishedOrUnavailable },
          },
          {
            statusCode: String(status),
            responseParameters: UNAVAILABLE_HEADERS,
            responseTemplates: { 'application/json': envelopeTemplate('unavailable') },
          },
        ],
      },
    }),
    methodResponses: [
      { statusCode: '200', responseParameters: declared(JWKS_HEADERS) },
      { statusCode: String(status), responseParameters: declared(UNAVAILABLE_HEADERS) },
    ],
  };
}

/**
 * DynamoDB responds 200 for an item that is not there, as before the first rotation. An override changes the status once
 * the template has seen that body.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
 */
const publishedOrUnavailable = `#set($jwks = $input.path('$.Item.${JWKS_ATTRIBUTE}.S'))
#if($jwks && $jwks != "")$jwks#else
#set($context.responseOverride.status = ${errorCatalogue.unavailable.status})
#set($context.responseOverride.header.Cache-Control = "no-store")
#set($context.responseOverride.header.Retry-After = "${RETRY_AFTER_SECONDS}")
${envelopeTemplate('unavailable')}
#end`;
