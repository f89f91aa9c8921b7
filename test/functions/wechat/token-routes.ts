/** A connection to the emulated WeChat, and the AppSecrets that open it, for tests of routes that need an access token. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { expect } from 'vitest';
import { type AccessTokens, createAccessTokens } from '../../../functions/wechat/access-token.ts';
import type { AppSecrets } from '../../../functions/wechat/app-secrets.ts';
import { createWechatConnection, type WechatConnection } from '../../../functions/wechat/connection.ts';
import { WechatError } from '../../../functions/wechat/errcodes.ts';
import { startWechatSimulator, type WechatSimulator } from '../../../local/wechat/simulator.ts';

export const appid = 'wx0123456789abcdef';
export const otherAppid = 'wxfedcba9876543210';
const secrets: Readonly<Record<string, string>> = {
  [appid]: 'fedcba98fedcba98fedcba98fedcba98',
  [otherAppid]: '0a1b2c3d0a1b2c3d0a1b2c3d0a1b2c3d',
};

/** Time that does not run out on a busy machine. */
const PATIENT = { totalBudgetMs: 60_000, connectTimeoutMs: 30_000 };

interface Setup {
  readonly wechat: WechatSimulator;
  readonly clock: { ms: number };
  readonly connection: WechatConnection;
  readonly accessTokens: AccessTokens;
  /** The AppSecrets at hand; those after a renewal are the right ones. */
  readonly known: Record<string, string>;
  /** What `call` failed with. Fails itself when something of what was sent or received is in the error. */
  failureOf(call: Promise<unknown>, ...hush: readonly string[]): Promise<WechatError>;
  close(): Promise<void>;
}

/** Simulator and caches go by one clock, which stands still. */
export async function setUp(): Promise<Setup> {
  const clock = { ms: 1_800_000_000_000 };
  const now = () => clock.ms;
  const wechat = await startWechatSimulator({ apps: secrets, now });
  const connection = createWechatConnection({
    apiBases: [wechat.url],
    ...PATIENT,
    now,
  });
  const known = { ...secrets };
  const appSecrets: AppSecrets = {
    secretFor: async (of) => known[of] ?? '',
    renewedSecretFor: async (of) => secrets[of] ?? '',
  };
  return {
    wechat,
    clock,
    connection,
    accessTokens: createAccessTokens({ connection, appSecrets, now }),
    known,
    async failureOf(call, ...hush) {
      const error = await call.then(
        () => expect.unreachable('the call must fail'),
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof WechatError)) throw error;
      const everything = inspect(error, { depth: 10, showHidden: true, getters: true }) + String(error.stack);
      for (const needle of [...hush, ...Object.values(secrets), 'access_token=', '"secret"'])
        expect(everything).not.toContain(needle);
      expect(error.cause).toBeUndefined();
      return error;
    },
    async close() {
      connection.close();
      await wechat.close();
    },
  };
}

/** A connection to a WeChat of the test's own. */
export async function connectTo(answer: RequestListener) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connection = createWechatConnection({ apiBases: [`http://127.0.0.1:${port}`], ...PATIENT });
  return {
    connection,
    close: () => {
      connection.close();
      server.close();
    },
  };
}

/** Ends the current token of a mini-program at once, as another system that forces a refresh does. */
export async function endToken(wechat: WechatSimulator, of = appid): Promise<void> {
  await fetch(`${wechat.url}/cgi-bin/stable_token`, {
    method: 'POST',
    body: JSON.stringify({
      grant_type: 'client_credential',
      appid: of,
      secret: secrets[of],
      force_refresh: true,
    }),
  });
}
