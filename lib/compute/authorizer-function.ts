/** The function that decides on tokens, for our own routes and for other teams' APIs. */
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { JWKS_KEY } from '../../functions/contracts/table.ts';
import { ServiceFunction, type StageFunctionProps } from './service-function.ts';

export interface AuthorizerFunctionProps extends StageFunctionProps {
  /** The tokens' `iss`. */
  readonly issuer: string;
}

export class AuthorizerFunction extends ServiceFunction<'authorizer'> {
  constructor(scope: Construct, id: string, { service, settings, users, issuer }: AuthorizerFunctionProps) {
    super(scope, id, {
      name: 'authorizer',
      description: 'Decides whether a token opens a route',
      memorySize: settings.memoryMb.authorizer,
      timeout: Duration.seconds(8),
      reservedConcurrency: settings.reservedConcurrency.authorizer,
      provisionedConcurrency: settings.provisionedConcurrency.authorizer,
      service,
      settings,
      environment: {
        TOKEN_ISSUER: issuer,
        TOKEN_AUDIENCE: settings.audience,
        TABLE_NAME: users.tableName,
        CHECK_REVOCATION: String(settings.checkRevocation),
      },
    });
    users.grantItem(this.role, JWKS_KEY, 'dynamodb:GetItem');
    if (settings.checkRevocation) users.grantItems(this.role, 'dynamodb:BatchGetItem');
  }
}
