/** What other teams import into their CDK apps to protect their routes with tokens of the WeChat login. */
export type { AuthorizerContext } from '../functions/contracts/token.ts';
export { ApiAuthorizers, type ApiAuthorizersProps, type WebSocketTokenSource } from './api-authorizers.ts';
export { CentralTokenAuthorizer, type CentralTokenAuthorizerProps } from './central-token-authorizer.ts';
export { WechatTokenAuthorizer, type WechatTokenAuthorizerProps } from './wechat-token-authorizer.ts';
export {
  type FromStageProps,
  WechatTokenIssuer,
  type WechatTokenIssuerAttributes,
} from './wechat-token-issuer.ts';
