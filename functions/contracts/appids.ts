/** How mini-programs are named in settings: by WeChat's AppID, or all at once. */

/** What the mini-program console shows as AppID. */
export const APPID = /^wx[0-9A-Za-z]{1,62}$/;

/** In place of a list of AppIDs: all that the issuer serves. */
export const EVERY_APPID = '*';

/**
 * The stage variable of another team's API that says whose members may pass, comma-separated. API Gateway tells it to
 * the authorizer, and nothing in a request sets it.
 */
export const ALLOWED_APPIDS_VARIABLE = 'wechatLoginAllowedAppids';
