/** Starts the whole service once for all end-to-end tests: template, bundles, database, simulator, gateway. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startLocalService } from '../../local/service.ts';

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
    /** What must never be read in it, beside what the tests add. */
    readonly appSecret: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), 'wechat-login-e2e-'));
  const logFile = join(directory, 'functions.log');
  appendFileSync(logFile, '');
  const service = await startLocalService({
    port: 0,
    onLog: (functionId, line) => appendFileSync(logFile, `${functionId} ${line}\n`),
  });
  project.provide('baseUrl', service.url);
  project.provide('wechatUrl', service.simulatorUrl ?? '');
  project.provide('dynamodbEndpoint', service.dynamodbEndpoint);
  project.provide('usersTable', service.tableNames[0] ?? '');
  project.provide('logFile', logFile);
  project.provide('appSecret', service.miniProgram.secret);
  return async () => {
    console.log(JSON.stringify(service.accessReport(), null, 1));
    await service.close();
    rmSync(directory, { recursive: true });
  };
}
