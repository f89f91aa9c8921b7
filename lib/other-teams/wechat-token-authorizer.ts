/** The stateless copy of the authorizer, deployed into the account of the team whose routes it protects. */
import { join } from 'node:path';
import { Duration, FeatureFlags, Stack, Token } from 'aws-cdk-lib';
import { type AuthorizationMode, AuthorizationType } from 'aws-cdk-lib/aws-appsync';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { APPSYNC_GRAPHQLAPI_SCOPE_LAMBDA_FUNCTION_PERMISSION } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';
import { EVERY_APPID } from '../../functions/contracts/appids.ts';
import type { EnvironmentOf } from '../../functions/contracts/environment.ts';
import { createFunctionRole } from '../compute/function-role.ts';
import { ApiAuthorizers, type ApiAuthorizersProps } from './api-authorizers.ts';
import type { WechatTokenIssuer } from './wechat-token-issuer.ts';

/** What `npm run build` has made: two folders up from here, and in the package, where this is `dist/lib/index.js`. */
const bundle = join(import.meta.dirname, '../../dist/remote-authorizer');

export interface WechatTokenAuthorizerProps extends ApiAuthorizersProps {
  /** Whose tokens are let in. */
  readonly issuer: WechatTokenIssuer;
  /**
   * What the function runs on.
   *
   * @default - arm64, which costs a fifth less; x86_64 in China regions, where arm64 is not documented, and in a stack
   *   whose region is not known at synthesis
   */
  readonly architecture?: Architecture;
}

function usualArchitecture({ region }: Stack): Architecture {
  return Token.isUnresolved(region) || region.startsWith('cn-') ? Architecture.X86_64 : Architecture.ARM_64;
}

/**
 * Deploys the authorizer that this package carries. It verifies tokens with the issuer's public keys alone: it needs
 * no permission, and a logout or a ban has no effect on it before the token expires.
 */
export class WechatTokenAuthorizer extends ApiAuthorizers {
  readonly lambda: LambdaFunction;
  private appSyncMode: AuthorizationMode | undefined;

  constructor(scope: Construct, id: string, props: WechatTokenAuthorizerProps) {
    super(scope, id, props, 'these APIs');
    const { issuer } = props;
    const { role, logGroup } = createFunctionRole(this, RetentionDays.ONE_MONTH);
    const environment: EnvironmentOf<'remote-authorizer'> = {
      POWERTOOLS_SERVICE_NAME: 'wechat-login-authorizer',
      TOKEN_ISSUER: issuer.issuer,
      TOKEN_AUDIENCE: issuer.audience,
      JWKS_URL: issuer.jwksUrl,
      HTTP_RESPONSE: 'simple',
      ALLOWED_APPIDS: this.allowedAppids?.join(',') ?? EVERY_APPID,
      CACHE_TTL_SECONDS: String(this.cacheTtl.toSeconds()),
    };
    this.lambda = new LambdaFunction(this, 'Function', {
      description: 'Decides whether a token of the WeChat login opens a route',
      code: Code.fromAsset(bundle),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: props.architecture ?? usualArchitecture(Stack.of(this)),
      memorySize: 256,
      timeout: Duration.seconds(5),
      role,
      logGroup,
      environment: { ...environment },
    });
  }

  /** For AppSync GraphQL APIs, as default or additional mode. An allow is never reused longer than its token lives. */
  forAppSync(): AuthorizationMode {
    this.appSyncMode ??= {
      authorizationType: AuthorizationType.LAMBDA,
      lambdaAuthorizerConfig: { handler: this.handlerForAppSync(), resultsCacheTtl: this.cacheTtl },
    };
    return this.appSyncMode;
  }

  /**
   * Without its feature flag, CDK would allow any AppSync API of any account to call the function: then it gets a view
   * of the function that takes no permissions, and the APIs of this account are allowed here.
   */
  private handlerForAppSync() {
    if (FeatureFlags.of(this).isEnabled(APPSYNC_GRAPHQLAPI_SCOPE_LAMBDA_FUNCTION_PERMISSION))
      return this.lambda;
    this.lambda.addPermission('AppSync', {
      principal: new ServicePrincipal('appsync.amazonaws.com'),
      sourceArn: Stack.of(this).formatArn({ service: 'appsync', resource: 'apis', resourceName: '*' }),
    });
    return LambdaFunction.fromFunctionAttributes(this, 'AppSyncView', {
      functionArn: this.lambda.functionArn,
      skipPermissions: true,
    });
  }
}
