/** A WeChat login service as other teams' stacks know it: whose tokens to trust, and where its keys are. */
import { Token } from 'aws-cdk-lib';
import type { HttpRouteAuthorizerBindOptions, IHttpRouteAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { JWKS_PATH } from '../../functions/contracts/token.ts';
import { type ApiAuthorizersProps, MAX_CACHE_TTL } from './api-authorizers.ts';
import { CentralTokenAuthorizer } from './central-token-authorizer.ts';
import { onePerApi } from './one-per-api.ts';
import { type StageParameter, stageParameterName } from './stage-parameters.ts';

/** What a stack must know of a login service to trust its tokens. */
export interface WechatTokenIssuerAttributes {
  /** The tokens' `iss`, such as `https://login.example.com`, without a slash at the end. */
  readonly issuer: string;
  /** The tokens' `aud`. */
  readonly audience: string;
  /**
   * Where the public keys are.
   *
   * @default - `<issuer>/.well-known/jwks.json`
   */
  readonly jwksUrl?: string;
  /**
   * The service's own authorizer function, with its alias.
   *
   * @default - none: {@link WechatTokenIssuer.centralAuthorizer} cannot be used
   */
  readonly authorizerArn?: string;
  /**
   * Whether that function is in the account of this stack.
   *
   * @default - read from the ARN and the stack's environment, if both are known at synthesis
   */
  readonly authorizerInThisAccount?: boolean;
}

/** Where a login service of this account and region publishes itself. */
export interface FromStageProps {
  /** The stage it was deployed as, such as `prod`. */
  readonly stage: string;
}

/** Keys may only come over TLS; a loopback address is for tests and local runs. */
const ADDRESS = /^(https:\/\/[^\s/?#]|http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/])([^\s?#]*[^\s/?#])?$/;

/** What may call the function is allowed to call its alias, and nothing else of it. */
const FUNCTION_WITH_ALIAS = /^arn:[\w-]+:lambda:[\w-]+:\d{12}:function:[\w-]+:[\w-]+$/;

/** A WeChat login service. */
export class WechatTokenIssuer extends Construct {
  private readonly attributes: WechatTokenIssuerAttributes;
  private native: IHttpRouteAuthorizer | undefined;

  /** A login service in the same account and region, by what its stack wrote to SSM. */
  static fromStage(scope: Construct, id: string, props: FromStageProps): WechatTokenIssuer {
    const read = (parameter: StageParameter): string =>
      StringParameter.valueForStringParameter(scope, stageParameterName(props.stage, parameter));
    // Getters: a parameter that nothing uses would be one more thing that a deployment can fail on.
    return new WechatTokenIssuer(scope, id, {
      get issuer() {
        return read('issuer');
      },
      get audience() {
        return read('audience');
      },
      get jwksUrl() {
        return read('jwks-url');
      },
      get authorizerArn() {
        return read('authorizer-arn');
      },
      authorizerInThisAccount: true,
    });
  }

  /**
   * Any login service, in whatever account.
   *
   * @throws Error when a URL is not one that keys may come from, the audience is empty, or the authorizer's ARN lacks
   *   its alias
   */
  static fromAttributes(
    scope: Construct,
    id: string,
    attributes: WechatTokenIssuerAttributes,
  ): WechatTokenIssuer {
    const issuer = new WechatTokenIssuer(scope, id, attributes);
    for (const name of ['issuer', 'jwksUrl'] as const) {
      const url = attributes[name];
      if (url === undefined || Token.isUnresolved(url) || ADDRESS.test(url)) continue;
      throw new Error(
        `${issuer.node.path}: ${name} is '${url}'; it must be an https URL without a query and without a slash at the end`,
      );
    }
    if (attributes.audience.trim() === '') {
      throw new Error(
        `${issuer.node.path}: audience is '${attributes.audience}'; it must be the tokens' aud, such as 'wechat-login'`,
      );
    }
    const { authorizerArn } = attributes;
    if (
      authorizerArn !== undefined &&
      !Token.isUnresolved(authorizerArn) &&
      !FUNCTION_WITH_ALIAS.test(authorizerArn)
    ) {
      throw new Error(
        `${issuer.node.path}: authorizerArn is '${authorizerArn}'; it must be the ARN of the function with its alias, ` +
          `arn:…:function:<name>:live, as the login stage shows it in the parameter ${stageParameterName('<stage>', 'authorizer-arn')}`,
      );
    }
    return issuer;
  }

  private constructor(scope: Construct, id: string, attributes: WechatTokenIssuerAttributes) {
    super(scope, id);
    this.attributes = attributes;
  }

  /** The tokens' `iss`. */
  get issuer(): string {
    return this.attributes.issuer;
  }

  /** The tokens' `aud`. */
  get audience(): string {
    return this.attributes.audience;
  }

  /** Where the public keys are. */
  get jwksUrl(): string {
    return this.attributes.jwksUrl ?? `${this.issuer}${JWKS_PATH}`;
  }

  /**
   * For the routes of HTTP APIs, which then verify tokens by themselves, without any function. All routes of one API
   * share one authorizer, however often this is called.
   *
   * API Gateway reads the issuer's discovery document when the authorizer is made: while its domain leads nowhere, or
   * before its first rotation, the deployment fails with a BadRequestException.
   */
  nativeJwtAuthorizer(): IHttpRouteAuthorizer {
    this.native ??= onePerApi(
      ({ route }: HttpRouteAuthorizerBindOptions) => route.httpApi,
      () =>
        new HttpJwtAuthorizer(this.node.id, this.issuer, {
          jwtAudience: [this.audience],
          identitySource: ['$request.header.Authorization'],
        }),
    );
    return this.native;
  }

  /**
   * Authorizers that call the login service's own function: nothing to deploy here, and a logout or a ban counts as
   * soon as the cache allows. Calls with the same settings give the same.
   *
   * @param id tells several apart, for APIs with different settings. Default: `Central`
   * @throws Error when the function's ARN is not known, or not which account it is in, when it is in another region, or
   *   when the same id was used with other settings
   */
  centralAuthorizer(props: ApiAuthorizersProps = {}, id = 'Central'): CentralTokenAuthorizer {
    const { authorizerArn, authorizerInThisAccount } = this.attributes;
    if (authorizerArn === undefined) {
      throw new Error(
        `${this.node.path}: there is no authorizerArn: pass it to WechatTokenIssuer.fromAttributes; the login ` +
          `stage shows it as the parameter ${stageParameterName('<stage>', 'authorizer-arn')}`,
      );
    }
    const existing = this.node.tryFindChild(id);
    if (!(existing instanceof CentralTokenAuthorizer)) {
      return new CentralTokenAuthorizer(this, id, { ...props, authorizerArn, authorizerInThisAccount });
    }
    const { cacheTtl = MAX_CACHE_TTL, allowedAppids } = props;
    if (String(allowedAppids) !== String(existing.allowedAppids)) {
      throw new Error(
        `${existing.node.path} has other allowedAppids; for ${JSON.stringify(allowedAppids) ?? 'all'} make another one: ` +
          "centralAuthorizer({ … }, '<another id>')",
      );
    }
    if (cacheTtl.toSeconds() !== existing.cacheTtl.toSeconds()) {
      throw new Error(
        `${existing.node.path} has the cacheTtl ${existing.cacheTtl.toSeconds()} seconds; for ` +
          `${cacheTtl.toSeconds()} seconds make another one: centralAuthorizer({ … }, '<another id>')`,
      );
    }
    return existing;
  }
}
