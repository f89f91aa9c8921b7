/** What docs/openapi.json says in words: what each operation does, and what each member means. */
import type { routes } from '../../functions/contracts/routes.ts';

interface OperationText {
  readonly tag: Tag;
  /** A few words, for lists. */
  readonly summary: string;
  readonly description: string;
}

interface MemberText {
  readonly description: string;
  readonly example: unknown;
}

type Tag = keyof typeof tags;

export const tags = {
  Login: 'For everybody: a code of `wx.login` becomes a token.',
  Member: 'For whoever is logged in.',
  'Message push': 'For WeChat, which signs what it sends.',
  Verifiers: 'For other teams that check tokens.',
  Operation: 'For those who run the service.',
} as const;

export const about = `Logs members of WeChat mini-programs in, and issues the JWTs that open other teams' routes.

**Responses.** Every body is \`{code, msg, data | error, request_id}\`; only WeChat's message push and the documents under
\`/.well-known/\` have forms of their own. \`code\` repeats the status. Decide by \`error\`, which is stable; \`msg\` is for
people and may be reworded: Chinese, or English when \`Accept-Language\` prefers it, or both where API Gateway responds by
itself. \`request_id\` leads to the log line; only the web ACL knows none and leaves it empty.

**Bodies** are JSON or \`application/x-www-form-urlencoded\` in UTF-8, at most 16 KiB; without \`Content-Type\` they are read
as JSON. Members that are not documented are ignored. In a form the words \`null\` and \`undefined\` are absence,
and no field may be given twice.

**Tokens** travel as \`Authorization: Bearer <token>\`, \`JWT <token>\` or the bare token. A refused token gets 401, a denied
one 403; when the service itself has trouble the status is 500 or more, and the token is still good.

**HEAD** is served wherever GET is, with the same status and headers and no body.

**Headers.** API Gateway adds some of its own (\`x-amzn-RequestId\`, which is the \`request_id\`, \`x-amz-apigw-id\`, and
\`x-amzn-ErrorType\` where it refuses by itself) and renames \`WWW-Authenticate\` to
\`x-amzn-Remapped-WWW-Authenticate\` where a function sets it.

**Limits.** 429 says in \`Retry-After\` how many seconds to wait.`;

export const operations = {
  logIn: {
    tag: 'Login',
    summary: 'Log in with a code of wx.login',
    description:
      'Exchanges the code at WeChat, finds or creates the user, and issues a token. A code that arrives twice within 60 seconds logs the same user in, so a login whose response was lost is simply repeated. The mini-program is the one of `appid`, else of the `Referer`, else the first that the service serves.',
  },
  refreshToken: {
    tag: 'Login',
    summary: 'Get a new token of the same login',
    description:
      'Until thirty days after the login; then `unauthorized`, and the member logs in again. The old token stays valid, so a refresh whose response was lost is simply repeated. `forbidden`: the mini-program is no longer served.',
  },
  logOut: {
    tag: 'Login',
    summary: 'End this login, or every login of the member',
    description: 'Ends every token of the login at once, refreshed ones included.',
  },
  getProfile: { tag: 'Member', summary: 'Read the profile', description: 'The phone number is masked.' },
  changeProfile: {
    tag: 'Member',
    summary: 'Change nickname, sex or avatar',
    description:
      'Changes the members that the body names, at least one of them; `""` clears one, and the other spelling of a member counts where the first is absent or null. Where the stage has nicknames checked, WeChat may find one risky (`content_rejected`).',
  },
  deleteAccount: {
    tag: 'Member',
    summary: 'Delete the account (注销)',
    description:
      'Erases all personal data and ends every login, at once or after a grace period that the stage sets. Safe to repeat: `token_revoked` then says that it was done. A later login makes a new user.',
  },
  bindPhone: {
    tag: 'Member',
    summary: 'Bind the phone number behind a code of the getPhoneNumber button',
    description:
      'Only the code of the member themselves binds. A code that arrives twice within 60 seconds binds the same number.',
  },
  unbindPhone: {
    tag: 'Member',
    summary: 'Unbind the phone number',
    description: 'Changes nothing where none is bound.',
  },
  verifyEventsUrl: {
    tag: 'Message push',
    summary: 'Prove to WeChat that this URL is ours',
    description:
      'WeChat calls it when the URL is filled in, and expects `echostr` back as it is. Every refusal is the same `unauthorized`.',
  },
  receiveEvent: {
    tag: 'Message push',
    summary: 'Receive a message of WeChat',
    description:
      'Acts on `user_info_modified`, `user_authorization_revoke` and `user_authorization_cancellation`, and on no other message. A message is XML or JSON, in plaintext (signed by `signature`) or encrypted (signed by `msg_signature`), of at most 64 KiB. WeChat sends it again until it reads `success`; a repetition changes nothing.',
  },
  whoAmI: {
    tag: 'Operation',
    summary: "Read the authorizer's context",
    description:
      'What other teams find in `requestContext.authorizer`: the smoke test after a deployment. All values are text.',
  },
  getHealth: {
    tag: 'Operation',
    summary: 'Check that the service lives',
    description: 'Reads the table, and nothing of anybody.',
  },
  getDiscoveryDocument: {
    tag: 'Verifiers',
    summary: 'Read where the keys are',
    description: 'OpenID Provider Metadata, below the issuer. API Gateway serves it without a function.',
  },
  getJwkSet: {
    tag: 'Verifiers',
    summary: 'Read the public keys',
    description: 'A JWK Set (RFC 7517) of at most ten keys. API Gateway serves it without a function.',
  },
} as const satisfies Record<(typeof routes)[number]['operationId'], OperationText>;

const nickname = {
  description:
    'Up to 64 code points. White space around it is dropped. Control characters, characters that turn the direction of text, halves of characters, names that show as nothing, and the placeholder `微信用户` are no names.',
  example: '小明',
};
const sex = { description: '0 unknown, 1 male, 2 female.', example: 1 };
const avatar = {
  description: 'An https URL of at most 2048 characters.',
  example: 'https://a.example/1.png',
};
const appid = {
  description:
    'AppID of the mini-program, where the service serves several; one that it does not serve is refused.',
  example: 'wx0123456789abcdef',
};

/** Members that are another spelling of one. */
export const synonyms: readonly string[] = ['appId', 'nickName', 'gender', 'avatarUrl'];

/** By name; `operationId.name` where one operation means something of its own. */
export const members: Readonly<Record<string, MemberText>> = {
  code: {
    description: 'What `wx.login` hands out: valid for five minutes, and once.',
    example: '0c1Bvj0w3xkV1a2LXk2w3pZ9Xa3Bvj0J',
  },
  'bindPhone.code': {
    description: 'What the getPhoneNumber button hands out, not a code of `wx.login`.',
    example: 'e31968a7f94cc5ee25fafc2aef2773f0bb8c3937b22520eb8ee345274d00c144',
  },
  appid,
  appId: { ...appid, description: 'Another spelling of `appid`.' },
  'whoAmI.appid': { description: 'AppID of the mini-program that was logged in to.', example: appid.example },
  restore: {
    description:
      'Opens an account again that was cancelled and still waits for its erasure (`account_closing`).',
    example: true,
  },
  all: { description: 'Ends every login of the member, not only this one.', example: true },
  nickname,
  nickName: { ...nickname, description: 'Another spelling of `nickname`.' },
  'logIn.nickname': {
    ...nickname,
    description: `What can be kept of it fills an empty profile; it never decides a login. ${nickname.description}`,
  },
  sex,
  gender: { ...sex, description: 'Another spelling of `sex`.' },
  avatar: { ...avatar, description: `${avatar.description} Empty when unknown.` },
  avatarUrl: { ...avatar, description: 'Another spelling of `avatar`.' },
  user_id: {
    description: 'The user, for ever: a random UUID that says nothing about the person.',
    example: '2b9f6c1e-5a7d-4f30-8c42-91e0d7a3b654',
  },
  username: { description: 'The nickname; empty when unknown.', example: '小明' },
  is_new: { description: 'This login created the user.', example: true },
  token: {
    description:
      'The JWT to send as `Authorization`. Its claims are for verifiers; clients need not read it.',
    example: 'eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIyYjlmNmMxZSJ9.c2lnbmF0dXJl',
  },
  token_type: { description: 'How the token is sent.', example: 'Bearer' },
  expires_in: { description: 'Seconds until the token expires, from now.', example: 604_800 },
  phone: { description: 'The bound number, masked.', example: '+86 138******00' },
  created_at: { description: 'When the user was created, in UTC.', example: '2026-03-14T08:30:00.000Z' },
  last_login_at: { description: 'Exact to about a month, in UTC.', example: '2026-05-02T01:12:45.000Z' },
  erased: { description: 'All personal data is gone.', example: true },
  closes_at: {
    description: 'Until then a login with `restore` brings the account back, in UTC.',
    example: '2026-05-17T01:12:45.000Z',
  },
  jti: { description: 'Id of the token.', example: '5b0e4a53-6f0e-4a0e-9d5c-0f6f5a6a2d11' },
  sid: {
    description: 'Id of the login, which refreshed tokens share.',
    example: 'c1c9a1e2-0b6d-4f0a-8d53-0a4bd9a4a0f7',
  },
  auth_time: { description: 'When the member logged in, in Unix seconds.', example: '1777684365' },
  expires_at: { description: 'When the token expires, in Unix seconds.', example: '1778289165' },
  version: { description: 'Of the service.', example: '0.1.0' },
  key_age_seconds: { description: 'Age of the key that signs tokens.', example: 86_400 },
  issuer: { description: '`iss` of every token; compared exactly.', example: 'https://login.example.com' },
  jwks_uri: {
    description: 'Where the JWK Set is.',
    example: 'https://login.example.com/.well-known/jwks.json',
  },
  response_types_supported: {
    description: 'Required by the standard; no token is handed out over OAuth here.',
    example: ['id_token'],
  },
  subject_types_supported: { description: 'Required by the standard.', example: ['public'] },
  id_token_signing_alg_values_supported: {
    description: 'The one algorithm of our tokens.',
    example: ['RS256'],
  },
  claims_supported: {
    description: 'What tokens say.',
    example: ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'auth_time', 'sid'],
  },
  keys: {
    description: 'The key that signs, the next one, and those that have signed living tokens.',
    example: [
      {
        kty: 'RSA',
        use: 'sig',
        alg: 'RS256',
        kid: 'Nd3TnO3n6mWkHqYkHn2E0cQJjYV5oR9s0Tqk4xkZzXo',
        n: 'u1SU…',
        e: 'AQAB',
      },
    ],
  },
  kty: { description: 'The kind of key.', example: 'RSA' },
  use: { description: 'What the key is for.', example: 'sig' },
  alg: { description: 'The algorithm.', example: 'RS256' },
  kid: {
    description: 'Thumbprint of the key (RFC 7638).',
    example: 'Nd3TnO3n6mWkHqYkHn2E0cQJjYV5oR9s0Tqk4xkZzXo',
  },
  n: { description: 'Modulus, base64url.', example: 'u1SU…' },
  e: { description: 'Exponent, base64url.', example: 'AQAB' },
};
