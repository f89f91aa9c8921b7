/** The variables of `npm start`, read and checked. */
import { isIPv4 } from 'node:net';
import { APPID } from '../../functions/contracts/appids.ts';
import { contentChecks } from '../../functions/contracts/content-checks.ts';
import { isWechatApiBase } from '../../lib/settings/values.ts';
import { settingsFor } from '../../lib/stages.ts';
import { keptAddress } from '../../local/data-dir.ts';
import type { MiniProgram } from '../../local/service.ts';
import { CommandError } from '../command/errors.ts';
import { ENCODING_AES_KEY, PUSH_TOKEN } from '../set-wechat-secret/appsecret-input.ts';
import { bundledFunctions } from './bundles.ts';
import { EVERY_ADDRESS, networkAddress } from './phones.ts';

/** @throws CommandError naming the variable and what is allowed */
export function readVariables(variables: NodeJS.ProcessEnv) {
  const value = (name: string): string | undefined => variables[name] || undefined;
  const dataDir = value('DATA_DIR');
  const port = value('PORT');
  if (port !== undefined && (!/^\d+$/.test(port) || Number(port) > 65_535))
    throw new CommandError(`PORT is '${port}'; it must be a whole number from 0 to 65535.`);
  const host = value('HOST');
  if (host !== undefined && !isIPv4(host))
    throw new CommandError(
      `HOST is '${host}'; it must be an IPv4 address of this machine, or ${EVERY_ADDRESS} for all of them.`,
    );
  const address = host === EVERY_ADDRESS ? networkAddress() : host;
  if (host !== undefined && address === undefined)
    throw new CommandError('HOST cannot be used: this machine is in no network.');
  const appid = value('WECHAT_APPID');
  const secret = value('WECHAT_SECRET');
  if ((appid === undefined) !== (secret === undefined))
    throw new CommandError('WECHAT_APPID and WECHAT_SECRET go together: set both or none.');
  if (appid !== undefined && !APPID.test(appid))
    throw new CommandError('WECHAT_APPID must be an AppID: wx and letters or digits.');
  const token = value('WECHAT_PUSH_TOKEN');
  const encodingAesKey = value('WECHAT_ENCODING_AES_KEY') ?? '';
  if (token !== undefined && (appid === undefined || !PUSH_TOKEN.test(token)))
    throw new CommandError(
      'WECHAT_PUSH_TOKEN must be 3 to 32 letters and digits, and goes with WECHAT_APPID.',
    );
  if (!ENCODING_AES_KEY.test(encodingAesKey) || (encodingAesKey !== '' && token === undefined))
    throw new CommandError(
      'WECHAT_ENCODING_AES_KEY must be 43 letters and digits, and goes with WECHAT_PUSH_TOKEN.',
    );
  const push = token === undefined ? undefined : { token, encodingAesKey };
  const miniPrograms: [MiniProgram] | undefined =
    appid !== undefined && secret !== undefined ? [{ appid, secret, ...(push && { push }) }] : undefined;
  const contentCheck = contentChecks.find((each) => each === (value('CONTENT_CHECK') ?? 'off'));
  if (contentCheck === undefined)
    throw new CommandError(
      `CONTENT_CHECK is '${value('CONTENT_CHECK')}'; it must be one of ${contentChecks.join(', ')}.`,
    );
  const inspect = bundledFunctions.find((name) => name === value('INSPECT'));
  if (value('INSPECT') !== undefined && inspect === undefined)
    throw new CommandError(
      `INSPECT is '${value('INSPECT')}'; it must be one of ${bundledFunctions.join(', ')}.`,
    );
  const bases = value('WECHAT_API_BASE')
    ?.split(',')
    .map((base) => base.trim());
  if (bases?.every(isWechatApiBase) === false)
    throw new CommandError('WECHAT_API_BASE must be http(s) URLs without a query, separated by commas.');
  return {
    port: Number(port ?? 0) || Number(dataDir && keptAddress(dataDir)?.port) || Number(port ?? 3000),
    host,
    address: address ?? '127.0.0.1',
    miniPrograms,
    wechatApiBases: bases ?? (miniPrograms && settingsFor('dev').wechatApiBases),
    settings: { contentCheck },
    dynamodbEndpoint: value('DYNAMODB_ENDPOINT'),
    dataDir,
    inspect,
  };
}
