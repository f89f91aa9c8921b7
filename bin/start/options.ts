/** The variables of `npm start`, read and checked. */

import { APPID } from '../../functions/contracts/appids.ts';
import { isWechatApiBase } from '../../lib/settings/values.ts';
import { settingsFor } from '../../lib/stages.ts';
import { keptPort } from '../../local/data-dir.ts';
import type { MiniProgram } from '../../local/service.ts';
import { CommandError } from '../command/errors.ts';
import { bundledFunctions } from './bundles.ts';

/** @throws CommandError naming the variable and what is allowed */
export function readVariables(variables: NodeJS.ProcessEnv) {
  const value = (name: string): string | undefined => variables[name] || undefined;
  const dataDir = value('DATA_DIR');
  const port = value('PORT');
  if (port !== undefined && (!/^\d+$/.test(port) || Number(port) > 65_535))
    throw new CommandError(`PORT is '${port}'; it must be a whole number from 0 to 65535.`);
  const appid = value('WECHAT_APPID');
  const secret = value('WECHAT_SECRET');
  if ((appid === undefined) !== (secret === undefined))
    throw new CommandError('WECHAT_APPID and WECHAT_SECRET go together: set both or none.');
  if (appid !== undefined && !APPID.test(appid))
    throw new CommandError('WECHAT_APPID must be an AppID: wx and letters or digits.');
  const miniPrograms: [MiniProgram] | undefined =
    appid !== undefined && secret !== undefined ? [{ appid, secret }] : undefined;
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
    port: Number(port ?? 0) || (dataDir && keptPort(dataDir)) || Number(port ?? 3000),
    miniPrograms,
    wechatApiBases: bases ?? (miniPrograms && settingsFor('dev').wechatApiBases),
    dynamodbEndpoint: value('DYNAMODB_ENDPOINT'),
    dataDir,
    inspect,
  };
}
