/** The member's language: the one they chose, else the one WeChat is in. */

export type Language = 'zh' | 'en';

const KEY = 'language';

/** Chinese, unless WeChat speaks another language. */
function ofWechat(): Language {
  // Base library 2.20.1 and later.
  const info = wx.getAppBaseInfo ? wx.getAppBaseInfo() : undefined;
  return !info?.language || info.language.startsWith('zh') ? 'zh' : 'en';
}

export function language(): Language {
  const chosen: unknown = wx.getStorageSync(KEY);
  return chosen === 'zh' || chosen === 'en' ? chosen : ofWechat();
}

export function switchLanguage(): void {
  wx.setStorageSync(KEY, language() === 'zh' ? 'en' : 'zh');
}
