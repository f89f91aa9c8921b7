/** `npm run doctor`: looks at a deployment, or a local run, from outside and says in words what is wrong with it. */
import { parseArgs } from 'node:util';
import { settingsFor } from '../lib/config.ts';
import { CommandError, endWith } from './command/errors.ts';
import { type Check, type Deployment, Problem } from './doctor/check.ts';
import { cloudWatchLog, fileLog, type LoginLog, terminalLog } from './doctor/login-log.ts';
import { outsideChecks } from './doctor/outside-checks.ts';
import { NoAnswer } from './doctor/request.ts';
import { wechatChecks } from './doctor/wechat-check.ts';

const USAGE = `Usage: npm run doctor -- --stage <stage>
       npm run doctor -- --url <ApiUrl> [--appid <appid>] [--log FILE]
--appid may be given several times; FILE holds the output of npm start, which says why WeChat refuses.
Exit status: 0 all is well, 1 something is wrong.`;

async function readRequest(): Promise<{ deployment: Deployment; log: LoginLog }> {
  const { stage, url, appid, log } = readOptions();
  if ((stage === undefined) === (url === undefined)) throw new CommandError(USAGE);
  if (stage === undefined) {
    if (!/^https?:\/\/[^?#\s]+$/.test(url ?? '') || !URL.canParse(url ?? '')) throw new CommandError(USAGE);
    return {
      deployment: {
        url: (url ?? '').replace(/\/+$/, ''),
        stage,
        appids: appid ?? [undefined],
        // What a local run is synthesized from.
        keyRotationDays: settingsFor('dev').keyRotationDays,
      },
      log: log === undefined ? terminalLog : fileLog(log),
    };
  }
  if (appid !== undefined || log !== undefined) throw new CommandError(USAGE);
  // Loaded only where there is AWS to ask.
  const { stageValue } = await import('./command/deployment.ts');
  return {
    deployment: {
      url: await stageValue(stage, 'issuer'),
      stage,
      appids: (await stageValue(stage, 'appids')).split(','),
      keyRotationDays: Number(await stageValue(stage, 'key-rotation-days')),
    },
    log: cloudWatchLog(await stageValue(stage, 'login-log-group')),
  };
}

function readOptions() {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({ options: { stage: text, url: text, appid: { ...text, multiple: true }, log: text } })
      .values;
  } catch {
    throw new CommandError(USAGE);
  }
}

/** Prints a line; answers whether all is well. */
async function report({ name, look }: Check): Promise<boolean> {
  try {
    console.log(`ok       ${name}: ${await look()}`);
    return true;
  } catch (error) {
    if (!(error instanceof Problem || error instanceof NoAnswer)) throw error;
    console.log(`problem  ${name}: ${error.message}`);
    return false;
  }
}

async function main(): Promise<void> {
  const { deployment, log } = await readRequest();
  const [reachable, ...others] = [...outsideChecks(deployment), ...wechatChecks(deployment, log)];
  // Where nothing of ours answers, the other checks would say so again.
  let well = reachable !== undefined && (await report(reachable));
  if (well) for (const check of others) well = (await report(check)) && well;
  console.log(well ? '\nAll is well.' : '\nSomething is wrong.');
  if (!well) process.exitCode = 1;
}

main().catch(endWith);
