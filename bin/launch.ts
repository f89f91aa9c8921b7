/** `npm run launch`: says what stands in the way of a deployment, and what it would change. It changes nothing itself. */
import { Resolver } from 'node:dns/promises';
import type { StageSettings } from '../lib/settings.ts';
import { settingsFor } from '../lib/stages.ts';
import { type Check, createReport } from './command/check.ts';
import { defineCommand, runIfMain } from './command/command.ts';
import { identifyCaller } from './command/deployment.ts';
import { UsageError } from './command/errors.ts';
import { accountChecks } from './launch/account-checks.ts';
import { changeChecks } from './launch/change-checks.ts';
import { readDeployed } from './launch/deployed.ts';
import { domainChecks } from './launch/domain-checks.ts';
import { settingsChecks } from './launch/settings-checks.ts';
import { stackName } from './templates/stack-name.ts';
import { comparable, synthesize } from './templates/stage-template.ts';

const USAGE = `Usage: npm run launch -- --stage <stage> [--json]
Looks at the settings of the stage and at the account and region that the environment leads to; changes nothing.
Exit status: 0 it can be deployed, 1 something is in the way, 2 wrong command line.`;

/** What needs no credentials comes first, and is said also where there are none. */
async function* checksOf(stage: string, settings: StageSettings): AsyncGenerator<Check> {
  yield* settingsChecks(stage, settings);
  const { arn, region } = await identifyCaller();
  const [, partition, , , account = ''] = arn.split(':');
  const deployed = await readDeployed(stackName(stage));
  const { template, bootstrapVersion } = synthesize(stage, settings);
  const next = comparable(template);
  yield { name: 'account', look: async () => `${account} (${partition}), ${region}, as ${arn}` };
  yield* accountChecks({ stage, settings, bootstrapVersion, next, deployed });
  yield* domainChecks({ settings, account, region, deployed, dns: new Resolver() });
  yield* changeChecks(settings, next, deployed);
}

/** The command for stages that are read in this way. */
export const launchOf = (read: (stage: string) => StageSettings) =>
  defineCommand({
    usage: USAGE,
    options: { stage: { type: 'string' }, json: { type: 'boolean' } },
    body: async ({ values: { stage, json } }, { stdout }) => {
      if (stage === undefined) throw new UsageError('Say what is to be deployed: --stage.');
      const settings = read(stage);
      const report = createReport(stdout, json);
      let clear = true;
      for await (const check of checksOf(stage, settings)) clear = (await report.add(check)) && clear;
      report.end(
        clear ? `Ready: npx cdk deploy -c stage=${stage}` : 'Something is in the way. Nothing was changed.',
      );
      return clear ? 0 : 1;
    },
  });

export const run = launchOf(settingsFor);

await runIfMain(import.meta, run);
