/** Every word on the page, in Chinese and English. */

const texts = {
  title: ['微信登录 · 本机', 'WeChat login · this machine'],
  language: ['English', '中文'],
  flow: ['登录流程', 'A login'],
  flowHint: ['用小程序的客户端库，在这里走一遍', "With the mini-program's own client library"],
  miniProgram: ['小程序', 'Mini-program'],
  code: ['wx.login 的 code', 'Code of wx.login'],
  newCode: ['换一个新 code', 'Issue a new code'],
  nickname: ['昵称（选填）', 'Nickname (optional)'],
  logIn: ['登录', 'Log in'],
  me: ['个人资料', 'Profile'],
  whoami: ['鉴权上下文', 'Who am I'],
  refresh: ['刷新 token', 'Refresh'],
  logOut: ['退出登录', 'Log out'],
  logOutAll: ['退出所有登录', 'Log out everywhere'],
  erase: ['注销账号', 'Delete the account'],
  eraseAgain: ['再点一次即注销，不可恢复', 'Press again: it cannot be undone'],
  foreign: ['其他团队的接口', "Another team's routes"],
  nobody: ['未登录', 'Nobody is logged in'],
  loggedIn: ['已登录', 'Logged in as'],
  odd: ['应被拒绝的 token', 'Tokens that must be refused'],
  expired: ['已过期', 'expired'],
  foreign_audience: ['audience 不符', 'foreign audience'],
  wrongly_signed: ['签名错误', 'wrongly signed'],
  revoked: ['已吊销', 'revoked'],
  last: ['上一个 token', 'the last token'],
  wire: ['收发内容', 'What travels'],
  nothingYet: ['点左侧任一按钮', 'Press a button of the login'],
  request: ['请求', 'Request'],
  response: ['响应', 'Response'],
  token: ['Token 内容', 'The token'],
  valid: ['签名正确，密钥', 'signature right, key'],
  invalid: ['签名不符', 'signature wrong'],
  unknownKey: ['JWK Set 中没有此密钥', 'no such key in the JWK Set'],
  endsIn: ['后过期', 'until it ends'],
  ended: ['已过期', 'ended'],
  ago: ['前登录', 'since the login'],
  copy: ['复制 curl 命令', 'Copy the curl line'],
  copied: ['已复制', 'Copied'],
  notCopied: ['无法复制，请选中下面的文字', 'Not allowed to copy: select the line below'],
  clientSays: ['客户端', 'Client'],
  log: ['实时日志', 'Live log'],
  wechat: ['微信', 'WeChat'],
  live: ['● 已连接', '● live'],
  gone: ['● 本地服务无响应', '● the run does not respond'],
  users: ['用户', 'Users'],
  usersHint: ['与 npm run members 的操作相同', 'What npm run members does'],
  user: ['用户', 'User'],
  status: ['状态', 'Status'],
  actions: ['操作', 'Actions'],
  active: ['正常', 'active'],
  banned: ['已封禁', 'banned'],
  ban: ['封禁', 'Ban'],
  unban: ['解封', 'Unban'],
  revoke: ['吊销', 'Revoke'],
  eraseUser: ['删除', 'Erase'],
  keys: ['签名密钥', 'Signing keys'],
  keysHint: ['与 npm run rotate-keys 的操作相同', 'What npm run rotate-keys does'],
  key: ['密钥', 'Key'],
  role: ['用途', 'Role'],
  current: ['正在签名', 'current'],
  next: ['下一个', 'next'],
  retired: ['已退役', 'retired'],
  rotate: ['轮换（视为已公布满 12 小时）', 'Rotate (as if public for 12 hours)'],
  drop: ['作废', 'Drop'],
  faults: ['微信故障', "WeChat's faults"],
  faultsHint: ['让微信出错，看小程序会收到什么', 'Break WeChat, and see what the mini-program sees'],
  fault: ['故障', 'Fault'],
  times: ['次数（空为一直）', 'Calls (empty: all)'],
  whom: ['对谁', 'For whom'],
  everyone: ['所有人', 'everybody'],
  thisCode: ['上面的 code', 'the code above'],
  breakIt: ['开始故障', 'Break WeChat'],
  heal: ['全部恢复', 'Heal'],
  well: ['微信正常', 'WeChat is well'],
  left: ['次剩余', 'calls left'],
  busy: ['系统繁忙 -1', 'busy -1'],
  invalid_code: ['code 无效 40029', 'invalid code 40029'],
  used: ['code 已使用 40163', 'code used 40163'],
  blocked: ['高风险用户 40226', 'blocked 40226'],
  rate_limited: ['频率限制 45011', 'rate limited 45011'],
  wrong_secret: ['AppSecret 错误 40125', 'wrong secret 40125'],
  ip_not_allowed: ['IP 不在白名单 40164', 'IP not allowed 40164'],
  time_out: ['超时', 'time-out'],
  reset: ['连接被重置', 'connection reset'],
  truncated: ['响应被截断', 'truncated response'],
  html_502: ['502 网页', 'HTML 502'],
  first_host_down: ['主域名不可用', 'first host down'],
  done: ['完成', 'Done'],
  none: ['无', 'none'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

type Word = keyof typeof texts;

/** Kept over a reload; the browser's own language until somebody chooses. */
export let language: 'zh' | 'en' = (localStorage.getItem('language') ?? navigator.language).startsWith('zh')
  ? 'zh'
  : 'en';

export function switchLanguage(): void {
  language = language === 'zh' ? 'en' : 'zh';
  localStorage.setItem('language', language);
}

/** The words in the language of the page; what is no word of the page stays as it is. */
export function say(word: Word): string;
export function say(word: string): string;
export function say(word: string): string {
  const pair = Object.hasOwn(texts, word) ? texts[word as Word] : undefined;
  return pair === undefined ? word : pair[language === 'zh' ? 0 : 1];
}
