/** The variables of the functions that call WeChat. */
import type { EnvironmentOf } from '../../functions/contracts/environment.ts';
import type { WechatSecrets } from '../data/wechat-secrets.ts';
import type { StageSettings } from '../settings.ts';

/** The variables that say which WeChat to call for whom, and with what. */
export function wechatEnvironment(
  settings: StageSettings,
  secrets: WechatSecrets,
): Pick<
  EnvironmentOf<'login'> & EnvironmentOf<'account'>,
  'WECHAT_APPIDS' | 'WECHAT_API_BASE' | 'WECHAT_SECRETS_ARN' | 'CODE_REUSE_WINDOW_SECONDS' | 'CONTENT_CHECK'
> {
  return {
    WECHAT_APPIDS: settings.appids.join(','),
    WECHAT_API_BASE: settings.wechatApiBases.join(','),
    WECHAT_SECRETS_ARN: secrets.secretArn,
    CODE_REUSE_WINDOW_SECONDS: String(settings.codeReuseWindowSeconds),
    CONTENT_CHECK: settings.contentCheck,
  };
}
