/** The login service's own authorizer, called by other teams' APIs: nothing to deploy, and revocation counts. */
import { ArnFormat, Stack, Token } from 'aws-cdk-lib';
import { type IFunction, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { ApiAuthorizers, type ApiAuthorizersProps } from './api-authorizers.ts';

export interface CentralTokenAuthorizerProps extends ApiAuthorizersProps {
  /** The function's ARN, which may be known at deployment only. */
  readonly authorizerArn: string;
  /** Whether it is in the account of this stack. @default - read from the ARN and the stack's environment */
  readonly authorizerInThisAccount?: boolean | undefined;
}

/**
 * Authorizers around the shared function. In its own account the permission to call it is added here, for exactly
 * the API that uses it; for another account its owner adds it (`consumerAccounts` of the login stage).
 */
export class CentralTokenAuthorizer extends ApiAuthorizers {
  readonly lambda: IFunction;

  constructor(scope: Construct, id: string, props: CentralTokenAuthorizerProps) {
    super(scope, id, props, 'many teams');
    const { authorizerArn } = props;
    this.refuseOtherRegion(authorizerArn);
    this.lambda = LambdaFunction.fromFunctionAttributes(this, 'Function', {
      functionArn: authorizerArn,
      sameEnvironment: props.authorizerInThisAccount ?? this.isOfThisAccount(authorizerArn),
      skipPermissions: true,
    });
  }

  /** A wrong guess would show as 500 on every request, after the deployment. */
  private isOfThisAccount(functionArn: string): boolean {
    const { account } = Stack.of(this);
    if (Token.isUnresolved(functionArn) || Token.isUnresolved(account)) {
      throw new Error(
        `${this.node.path}: the authorizer's ARN or the stack's account is not known yet, so this cannot tell ` +
          'whether they share an account: set authorizerInThisAccount in WechatTokenIssuer.fromAttributes',
      );
    }
    return this.partOf(functionArn).account === account;
  }

  /**
   * CDK builds the address of an HTTP or WebSocket API's authorizer with the region of the stack. A REST API could call
   * one elsewhere, but `consumerAccounts` admits the APIs of the function's own region only.
   */
  private refuseOtherRegion(functionArn: string): void {
    const { region } = Stack.of(this);
    if (Token.isUnresolved(functionArn) || Token.isUnresolved(region)) return;
    const arnRegion = this.partOf(functionArn).region;
    if (arnRegion === region) return;
    throw new Error(
      `${this.node.path}: the central authorizer is in ${arnRegion} and this stack in ${region}; only APIs of its ` +
        'own region may call it: use WechatTokenAuthorizer, or nativeJwtAuthorizer() for an HTTP API',
    );
  }

  private partOf(functionArn: string) {
    return Stack.of(this).splitArn(functionArn, ArnFormat.COLON_RESOURCE_NAME);
  }
}
