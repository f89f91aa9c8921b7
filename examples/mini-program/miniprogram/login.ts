/** The client of the login service; all that a mini-program needs to set up. */
import { createLoginClient, type LoginClient, type Platform, wechat } from 'wechat-login-client';
import { IS_LOCAL, LOGIN_URL, ORDERS_URL } from './config';
import { language } from './language';

/** What `wx.login` hands out in the developer tools when the project has no AppID. */
const MOCK_CODE = 'the code is a mock one';

/**
 * Takes a demo user's code in place of the mock one, which every service refuses. The WeChat of `npm start` knows
 * demo users, the real WeChat knows none. Leave this out of your own mini-program.
 */
function withoutAppid(platform: Platform): Platform {
  return Object.assign({}, platform, {
    login: () => platform.login().then((code) => (code === MOCK_CODE ? 'demo-devtools' : code)),
  });
}

const platform = IS_LOCAL ? withoutAppid(wechat()) : wechat();
const options = { baseUrl: LOGIN_URL, origins: [ORDERS_URL], platform };

/** Both share one login; they differ in the language of the service's texts. */
const clients = {
  zh: createLoginClient(Object.assign({ language: 'zh' as const }, options)),
  en: createLoginClient(Object.assign({ language: 'en' as const }, options)),
};

/** The client, in the member's language. */
export const client = (): LoginClient => clients[language()];
