/** What other teams import into their CDK apps to protect their routes with tokens of the WeChat login. */
export type { AuthorizerContext } from '../functions/contracts/token.ts';
export {
  ApiAuthorizers,
  type ApiAuthorizersProps,
  type WebSocketTokenSource,
} from './other-teams/api-authorizers.ts';
export {
  CentralTokenAuthorizer,
  type CentralTokenAuthorizerProps,
} from './other-teams/central-token-authorizer.ts';
export {
  WechatTokenAuthorizer,
  type WechatTokenAuthorizerProps,
} from './other-teams/wechat-token-authorizer.ts';
export {
  type FromStageProps,
  WechatTokenIssuer,
  type WechatTokenIssuerAttributes,
} from './other-teams/wechat-token-issuer.ts';
