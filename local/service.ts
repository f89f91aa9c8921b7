/** The whole service on this machine: the synthesized stack, and the WeChat it calls. */
import { fileURLToPath } from 'node:url';
import {
  type Assembly,
  LocalRunError,
  type LocalStack,
  type LocalStackOptions,
  startLocalStack,
  synthesize as synthesizeByApp,
} from 'local-aws';
import { keepAddress, takeDataDir } from './data-dir.ts';
import { publishAt } from './public-address.ts';
import { startWechatSimulator, type WechatSimulator } from './wechat/simulator.ts';

/** Directory of the CDK app of the login service. */
export const loginApp = fileURLToPath(new URL('..', import.meta.url));

/** A mini-program, its AppSecret, and what is filled in for its message push. */
export interface MiniProgram {
  readonly appid: string;
  readonly secret: string;
  /** Default: there is no message push. */
  readonly push?: {
    readonly token: string;
    /** 43 characters; empty for plaintext only. */
    readonly encodingAesKey: string;
  };
}

/** What the simulator knows; nothing outside of this machine accepts it. */
export const demoMiniProgram: MiniProgram = {
  appid: 'wx0123456789abcdef',
  secret: '0123456789abcdef0123456789abcdef',
  push: { token: 'demo-push-token', encodingAesKey: 'demoEncodingAesKey0123456789abcdefghijklmno' },
};

/** The demo mini-program, and beside it those of a stage, so that a team with several meets them all. */
export function demoMiniPrograms(appids: readonly string[]): readonly [MiniProgram, ...MiniProgram[]] {
  const others = appids.filter((appid) => appid !== demoMiniProgram.appid);
  return [demoMiniProgram, ...others.map((appid) => ({ ...demoMiniProgram, appid }))];
}

/** What a run may differ in. */
export interface LocalServiceOptions
  extends Omit<LocalStackOptions, 'assembly' | 'secretValue' | 'dynamodbEndpoint'> {
  /** Stage to synthesize. Default: dev. */
  readonly stage?: string;
  /** Settings of the stage to override, as `-c settings=…` would. */
  readonly settings?: object;
  /** Address of this machine by which clients reach the API, where it listens. Default: 127.0.0.1 */
  readonly address?: string | undefined;
  /** The mini-programs that log in, the default one first. Default: the simulator's. */
  readonly miniPrograms?: readonly [MiniProgram, ...MiniProgram[]] | undefined;
  /** Base URLs of the WeChat to call. Default: the simulator. */
  readonly wechatApiBases?: readonly string[] | undefined;
  /** Milliseconds the simulator takes for every response. Default: 0. */
  readonly wechatDelayMs?: number;
  /** Hosts of the simulator; with two, the first can be down. Default: 1. */
  readonly wechatHosts?: 1 | 2;
  /** How the stack is synthesized. Default: by its app */
  readonly synthesize?: typeof synthesizeByApp;
  /** May change the bundles in the assembly's directory before a function starts. */
  readonly prepare?: ((directory: string) => void) | undefined;
  /** Base URL of a DynamoDB that already runs. Default: the embedded engine. */
  readonly dynamodbEndpoint?: string | undefined;
}

/** The running service. */
export interface LocalService extends LocalStack {
  /** Where clients reach the API, which is the tokens' issuer; `url` is the same for this machine alone. */
  readonly publicUrl: string;
  /** Base URL of the simulator; undefined when another WeChat is called. */
  readonly simulatorUrl: string | undefined;
  readonly simulator: WechatSimulator | undefined;
  /** The default one first. */
  readonly miniPrograms: readonly [MiniProgram, ...MiniProgram[]];
}

/**
 * Starts the service.
 *
 * @throws LocalRunError one sentence on what is wrong; whatever had been started is ended again
 */
export async function startLocalService(options: LocalServiceOptions = {}): Promise<LocalService> {
  const {
    stage = 'dev',
    settings,
    address = '127.0.0.1',
    miniPrograms = [demoMiniProgram] as const,
    wechatApiBases,
    wechatDelayMs,
    wechatHosts = 1,
    synthesize = synthesizeByApp,
    prepare,
    ...stack
  } = options;
  const appSecrets = Object.fromEntries(miniPrograms.map(({ appid, secret }) => [appid, secret]));
  const wechatSecrets = Object.fromEntries(miniPrograms.map((app) => [app.appid, storedSecretsOf(app)]));
  const publicUrlOf = (url: string): string => url.replace('127.0.0.1', address);
  const { dataDir } = stack;
  const releaseDataDir = dataDir === undefined ? undefined : takeDataDir(dataDir);
  let simulator: WechatSimulator | undefined;
  let serviceUrl = '';
  let assembly: Assembly | undefined;
  const end = async (): Promise<void> => {
    await simulator?.close();
    await assembly?.remove();
    releaseDataDir?.();
  };
  try {
    if (wechatApiBases === undefined)
      simulator = await startWechatSimulator({
        apps: appSecrets,
        hosts: wechatHosts,
        pushTargets: () =>
          miniPrograms.flatMap(({ appid, push }) =>
            push === undefined ? [] : [{ appid, ...push, url: `${serviceUrl}/wechat/events/${appid}` }],
          ),
        ...(wechatDelayMs !== undefined && { delayMs: wechatDelayMs }),
      });
    const running = await startLocalStack({
      ...stack,
      assembly: async (url) => {
        serviceUrl = url;
        assembly = await synthesize(loginApp, {
          stage,
          settings: {
            appids: miniPrograms.map(({ appid }) => appid),
            publicUrl: url,
            // Nobody reaches this machine by it.
            customDomain: null,
            wechatApiBases: wechatApiBases ?? simulator?.urls,
            ...settings,
          },
        });
        if (publicUrlOf(url) !== url) publishAt(publicUrlOf(url), url, assembly.directory);
        prepare?.(assembly.directory);
        return assembly.directory;
      },
      secretValue: ({ logicalId }) =>
        logicalId.startsWith('WechatSecrets') ? JSON.stringify(wechatSecrets) : undefined,
    });
    const publicUrl = publicUrlOf(running.url);
    if (dataDir !== undefined) keepAddress(dataDir, publicUrl);
    return {
      ...running,
      publicUrl,
      simulatorUrl: simulator?.url,
      simulator,
      miniPrograms,
      close: async () => {
        await running.close();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error instanceof LocalRunError ? error : new LocalRunError(messageOf(error), { cause: error });
  }
}

/** As an operator would have filled them in. */
function storedSecretsOf({ secret, push }: MiniProgram): string | object {
  if (push === undefined) return secret;
  return { secret, push_token: push.token, encoding_aes_key: push.encodingAesKey };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
