/** `npm run doctor`: looks at a deployment, or a local run, from outside and says in words what is wrong with it. */
import { createAppSecrets } from '../functions/wechat/app-secrets.ts';
import { settingsFor } from '../lib/stages.ts';
import { createReport, Remark } from './command/check.ts';
import { defineCommand, runIfMain } from './command/command.ts';
import { UsageError } from './command/errors.ts';
import type { Given } from './command/options.ts';
import type { Deployment } from './doctor/deployment.ts';
import { cloudWatchLog, fileLog, type LoginLog, terminalLog } from './doctor/login-log.ts';
import { outsideChecks } from './doctor/outside-checks.ts';
import { type PushTokenOf, pushChecks } from './doctor/push-check.ts';
import { wechatChecks } from './doctor/wechat-check.ts';

const USAGE = `Usage: npm run doctor -- --stage <stage> [--url <ApiAddress>] [--json]
       npm run doctor -- --url <Issuer> [--appid <appid>] [--log FILE] [--json]
--url with --stage: for a stage whose domain leads nowhere yet. --appid may be given several times; FILE holds the output of npm start, which says why WeChat refuses.
The variable WECHAT_PUSH_TOKEN with --url has the URL of the message push checked.
Exit status: 0 all is well, 1 something is wrong, 2 wrong command line.`;

const text = { type: 'string' } as const;
const options = {
  stage: text,
  url: text,
  appid: { ...text, multiple: true },
  log: text,
  json: { type: 'boolean' },
} as const;

interface Target {
  readonly deployment: Deployment;
  readonly log: LoginLog;
  readonly pushTokenOf: PushTokenOf;
}

async function readTarget(
  { stage, url, appid, log }: Given<typeof options>['values'],
  env: NodeJS.ProcessEnv,
): Promise<Target> {
  if (url !== undefined && (!/^https?:\/\/[^?#\s]+$/.test(url) || !URL.canParse(url)))
    throw new UsageError('--url must be an http(s) URL without a query.');
  const address = url?.replace(/\/+$/, '');
  if (stage !== undefined) {
    if (appid !== undefined || log !== undefined)
      throw new UsageError('--appid and --log go with --url alone.');
    return targetOfStage(stage, address);
  }
  if (address === undefined) throw new UsageError('Say what to look at: --stage, --url or both.');
  return {
    deployment: {
      url: address,
      issuer: address,
      stage,
      appids: appid ?? [undefined],
      // What a local run is synthesized from.
      keyRotationDays: settingsFor('dev').keyRotationDays,
    },
    log: log === undefined ? terminalLog : fileLog(log),
    pushTokenOf: async () => env.WECHAT_PUSH_TOKEN || undefined,
  };
}

async function targetOfStage(stage: string, address: string | undefined): Promise<Target> {
  // Loaded only where there is AWS to call.
  const { stageValue } = await import('./command/deployment.ts');
  const issuer = await stageValue(stage, 'issuer');
  return {
    deployment: {
      url: address ?? issuer,
      issuer,
      stage,
      appids: (await stageValue(stage, 'appids')).split(','),
      keyRotationDays: Number(await stageValue(stage, 'key-rotation-days')),
    },
    log: cloudWatchLog(await stageValue(stage, 'login-log-group')),
    pushTokenOf: await pushTokensIn(await stageValue(stage, 'wechat-secrets-arn')),
  };
}

/** Read from the secret of the stage; whoever may not read it is told that nothing is known. */
async function pushTokensIn(secretArn: string): Promise<PushTokenOf> {
  const { secretsManagerFor } = await import('./command/secret.ts');
  const secrets = createAppSecrets({ client: secretsManagerFor(secretArn), secretArn, now: Date.now });
  return async (appid) => {
    try {
      return (await secrets.pushSecretsFor(appid))?.token;
    } catch {
      throw new Remark(
        'it is not known: the secret with the Token cannot be read, which takes secretsmanager:GetSecretValue',
      );
    }
  };
}

export const run = defineCommand({
  usage: USAGE,
  options,
  body: async ({ values }, { stdout, env }) => {
    const { deployment, log, pushTokenOf } = await readTarget(values, env);
    const [reachable, ...others] = [
      ...outsideChecks(deployment),
      ...wechatChecks(deployment, log),
      ...pushChecks(deployment, pushTokenOf),
    ];
    const report = createReport(stdout, values.json);
    // Where nothing of ours answers, the other checks would say so again.
    let well = reachable !== undefined && (await report.add(reachable));
    if (well) for (const check of others) well = (await report.add(check)) && well;
    report.end(well ? 'All is well.' : 'Something is wrong.');
    return well ? 0 : 1;
  },
});

await runIfMain(import.meta, run);
