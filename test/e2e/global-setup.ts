/** Starts the whole service once for all end-to-end tests: template, bundles, database, simulator, gateway. */
import { appendFileSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { MiniProgram } from '../../local/service.ts';
import { startSharedStack, twoMiniPrograms } from '../fixtures/local-service.ts';
import { createContractCheck, readDocument } from './contract/contract-check.ts';
import { recordedIn, recordTo } from './contract/recorded-responses.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the service answers. */
    readonly baseUrl: string;
    /** Where the WeChat simulator answers. */
    readonly wechatUrl: string;
    /** Where its database answers. */
    readonly dynamodbEndpoint: string;
    /** Name of the users table in it. */
    readonly usersTable: string;
    /** File with every line that the functions have logged. */
    readonly logFile: string;
    /** File with every response, to be compared with docs/openapi.json at the end. */
    readonly responseFile: string;
    /** Those it serves, the default one first; their AppSecrets must never be read in the log. */
    readonly miniPrograms: readonly [MiniProgram, MiniProgram];
    /** Directory with the template and the bundles that it runs. */
    readonly assembly: string;
  }
}

/**
 * What Lambda itself does with the role of a function, and nothing emulates here: it writes logs and traces, and
 * connects the function to its VPC.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
 */
const actionsOfLambda = [
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];
const usedByLambda = new RegExp(`^\\w+: (${actionsOfLambda.join('|')}) on `);

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'wechat-login-e2e-'));
  const logFile = join(directory, 'functions.log');
  const responseFile = join(directory, 'responses.jsonl');
  for (const file of [logFile, responseFile]) appendFileSync(file, '');
  const service = await startSharedStack({
    onRequest: recordTo(responseFile),
    onLog: (functionId, line) => appendFileSync(logFile, `${functionId} ${line}\n`),
  });
  // What EventBridge does every hour.
  const [account] = service.resolver
    .resourcesOf('AWS::Lambda::Function')
    .filter(({ logicalId }) => logicalId.startsWith('Account'));
  const { ok } = await service.invoke(account?.logicalId ?? '', { source: 'aws.events' });
  if (!ok) throw new Error('The schedule that erases closed accounts fails');
  project.provide('baseUrl', service.url);
  project.provide('wechatUrl', service.simulatorUrl ?? '');
  project.provide('dynamodbEndpoint', service.dynamodbEndpoint);
  project.provide('usersTable', service.tableNames[0] ?? '');
  project.provide('logFile', logFile);
  project.provide('responseFile', responseFile);
  project.provide('miniPrograms', twoMiniPrograms);
  project.provide('assembly', dirname([...service.resolver.template.assets.values()][0] ?? ''));
  return async () => {
    const { granted, used, denied } = service.accessReport();
    await service.close();
    const contract = createContractCheck(readDocument());
    const undocumented = recordedIn(responseFile).flatMap((response) => contract.see(response));
    rmSync(directory, { recursive: true });
    const unused = granted.filter(
      (permission) => !used.includes(permission) && !usedByLambda.test(permission),
    );
    if (denied.length > 0) fail('Calls that no role allows', denied);
    if (undocumented.length > 0)
      fail('Responses that docs/openapi.json does not allow', [...new Set(undocumented)]);
    if (!ranCompletely(project)) return;
    const unseen = contract.unseen();
    if (unseen.length > 0) fail('Documented, and not seen in the end-to-end tests', unseen);
    else console.log('Everything that docs/openapi.json documents occurred in the end-to-end tests.');
    if (unused.length > 0) fail('Permissions granted and never used by the end-to-end tests', unused);
    else console.log('Every permission granted was used by the end-to-end tests.');
  };
}

/** Fails the run: vitest prints what is thrown here and ends with 0 all the same. */
function fail(what: string, list: readonly string[]): void {
  console.error(`${what}:\n  ${list.join('\n  ')}`);
  process.exitCode = 1;
}

/** Whether every end-to-end test has run: of a few chosen ones nobody can say what they leave unused. */
function ranCompletely({ name, vitest }: TestProject): boolean {
  const files = globSync('**/*.test.ts', { cwd: import.meta.dirname, exclude: ['own-service/**'] });
  const passed = vitest.state
    .getTestModules()
    .filter((module) => module.project.name === name && module.state() === 'passed');
  return passed.length === files.length && vitest.config.testNamePattern === undefined;
}
