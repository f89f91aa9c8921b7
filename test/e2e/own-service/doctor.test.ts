import { appendFileSync, chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LocalService } from '../../../local/service.ts';
import { startWechatSimulator, type WechatSimulator } from '../../../local/wechat/simulator.ts';
import { startSharedStack, twoMiniPrograms } from '../../fixtures/local-service.ts';
import { type Finished, runCommand } from '../../fixtures/operator-command.ts';
import { localIdentity } from '../../fixtures/users-table.ts';

const [{ appid: shop }, { appid: game }] = twoMiniPrograms;
const apps: Readonly<Record<string, string>> = {
  [shop]: 'the-right-secret-of-the-shop',
  [game]: 'the-right-secret-of-the-game',
};

/** Dies when a test wants it to; its address stays. */
let wechat: WechatSimulator;
let service: LocalService;
let parameters: Server;
let directory: string;
let logFile: string;

const addressOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** A service with a wrong AppSecret for its first mini-program and none for its second. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'doctor-'));
  logFile = join(directory, 'npm-start.log');
  writeFileSync(logFile, 'Starting the service from its synthesized template\n');
  wechat = await startWechatSimulator({ apps });
  service = await startSharedStack({
    miniPrograms: [{ appid: shop, secret: 'a-wrong-secret-of-the-shop' }],
    wechatApiBases: [wechat.url],
    onLog: (functionId, line) => appendFileSync(logFile, `         ${functionId}: ${line}\n`),
  });
  // As much of Systems Manager as the command asks for.
  const values: Record<string, string> = {
    '/wechat-login/early/issuer': 'https://login.example.com',
    '/wechat-login/early/appids': shop,
    '/wechat-login/early/key-rotation-days': '30',
    '/wechat-login/early/login-log-group': 'login-logs',
    '/wechat-login/early/wechat-secrets-arn': secretArn(),
    '/wechat-login/prod/issuer': service.url,
    '/wechat-login/prod/appids': `${shop},${game}`,
    '/wechat-login/prod/key-rotation-days': '30',
    '/wechat-login/prod/login-log-group': 'login-logs',
    '/wechat-login/prod/wechat-secrets-arn': secretArn(),
  };
  parameters = createServer(async (request, response) => {
    const { Name } = (await json(request)) as { Name: string };
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ Parameter: { Name, Value: values[Name] } }));
  });
  await new Promise<void>((resolve) => parameters.listen(0, '127.0.0.1', resolve));
});

afterEach(() => wechat.clearFaults());

afterAll(async () => {
  parameters.close();
  await service.close();
  await wechat.close();
  rmSync(directory, { recursive: true });
});

const secretArn = (): string => {
  const [secret] = service.resolver
    .resourcesOf('AWS::SecretsManager::Secret')
    .filter(({ logicalId }) => logicalId.startsWith('WechatSecrets'));
  return String(service.resolver.names(secret?.logicalId ?? '').ref);
};

const aws = () =>
  ({
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'operator',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SSM: addressOf(parameters),
    AWS_ENDPOINT_URL_SECRETS_MANAGER: service.secretsManagerEndpoint,
  }) as const;

/** The doctor on the local run, both mini-programs, unless told otherwise. */
const doctor = (
  args = ['--url', service.url, '--appid', shop, '--appid', game, '--log', logFile],
): Promise<Finished> => runCommand('doctor', args);

/** The doctor on a stage, with an AWS CLI that runs these lines of shell. */
function stageDoctor(awsCli: string): Promise<Finished> {
  const program = join(directory, 'aws');
  writeFileSync(program, `#!/bin/sh\n${awsCli}\n`);
  chmodSync(program, 0o755);
  return runCommand('doctor', ['--stage', 'prod'], {
    aws: aws(),
    env: { PATH: `${directory}:${process.env.PATH}` },
  });
}

const problemsOf = ({ stdout }: Finished): string[] =>
  stdout.split('\n').filter((line) => line.startsWith('problem'));

async function setSigningKeyAge(seconds: number): Promise<void> {
  const client = new DynamoDBClient({ ...localIdentity, endpoint: service.dynamodbEndpoint });
  await client.send(
    new UpdateItemCommand({
      TableName: service.tableNames[0],
      Key: { pk: { S: 'jwks' } },
      UpdateExpression: 'SET signing_key_created_at = :then',
      ExpressionAttributeValues: { ':then': { N: String(Math.floor(Date.now() / 1000) - seconds) } },
    }),
  );
  client.destroy();
}

describe('npm run doctor', () => {
  it('tells a wrong AppSecret from an empty one, and is content once both are filled in', async () => {
    const before = await doctor();
    for (const appid of [shop, game]) {
      const { status } = await runCommand('set-wechat-secret', ['--stage', 'prod', '--appid', appid], {
        input: apps[appid] ?? '',
        aws: aws(),
      });
      expect(status).toBe(0);
    }
    // The function still says that it has none: it looks for another secret at most every ten seconds.
    const patient = await doctor(['--url', service.url, '--appid', game, '--log', logFile]);
    let after = await doctor();
    while (problemsOf(after).length > 0) {
      await setTimeout(1_000);
      after = await doctor();
    }

    expect(problemsOf(before)).toEqual([
      `problem  WeChat for ${shop}: WeChat returned errcode 40125 (the AppSecret is not valid): copy the AppSecret from the mini-program console, or reset it there, and start the local run again with the right WECHAT_SECRET`,
      `problem  WeChat for ${game}: no AppSecret is filled in for ${game}: start the local run again with the right WECHAT_SECRET`,
    ]);
    expect(before.status).toBe(1);
    expect(patient.status).toBe(0);
    expect(after).toEqual({
      status: 0,
      stderr: '',
      stdout: `ok       reachable: ${service.url} answers
ok       signing key: 0 days old (version 0.1.0)
ok       discovery document: issuer ${service.url}
ok       public keys: 2 published
ok       protected routes: refuse what has no token of ours
ok       WeChat for ${shop}: answers, and accepts appid and AppSecret
ok       WeChat for ${game}: answers, and accepts appid and AppSecret
ok       message push of ${shop}: not set up: nothing is heard of what users take back at WeChat
ok       message push of ${game}: not set up: nothing is heard of what users take back at WeChat

All is well.
`,
    });
  });

  it.each([
    ['ip_not_whitelisted', undefined, 'add the address of this machine to the API IP whitelist'],
    ['secret_frozen', undefined, 'unfreeze it in the mini-program console'],
    ['errcode', 40013, 'compare appids in lib/config.ts with the AppID in the mini-program console'],
    ['errcode', 50002, 'look for a notice in the mini-program console'],
    ['http_502_html', undefined, ': HTTP status 502: try again in a minute'],
    ['errcode', 45011, 'too many requests, here or at WeChat; try again in a minute'],
    ['errcode', 45009, 'calls of this day are used up at WeChat'],
  ] as const)('says what to do about %s %s', async (fault, errcode, words) => {
    wechat.setFault({ fault, ...(errcode !== undefined && { errcode }) });

    const finished = await doctor(['--url', `${service.url}/`, '--log', logFile]);

    expect(problemsOf(finished)).toEqual([expect.stringContaining(words)]);
    expect(finished.stdout).toContain('Something is wrong.');
    expect(finished.status).toBe(1);
  });

  it('names all causes, and where to read which, when it has no log', async () => {
    wechat.setFault({ fault: 'secret_frozen' });

    const [problem] = problemsOf(await doctor(['--url', service.url]));

    expect(problem).toMatch(
      /the AppSecret is missing, wrong or frozen \(functions follow a new one within 10 seconds\), the appid is wrong, or the IP whitelist is on; which, says the reason of request [\w-]+ in what npm start prints/,
    );
  });

  it('reads the log of a stage with the AWS CLI', async () => {
    wechat.setFault({ fault: 'ip_not_whitelisted' });
    const cli = `
test "$*" = "\${*#logs filter-log-events --log-group-name login-logs --start-time }" && exit 1
for last; do case "$last" in *request_id*) id=$(echo "$last" | cut -d'"' -f2);; esac; done
grep -F "$id" ${logFile} | sed -e 's/^[^{]*//' -e 's/"/\\\\"/g' -e 's/^/["/' -e 's/$/"]/'`;

    const finished = await stageDoctor(cli);

    expect(problemsOf(finished)).toEqual([
      expect.stringMatching(new RegExp(`${shop}: WeChat returned errcode 40164 .*output EgressAddresses`)),
      expect.stringMatching(new RegExp(`${game}: WeChat returned errcode 40164 .*output EgressAddresses`)),
    ]);

    wechat.setFault({ fault: 'secret_frozen' });
    const [frozen] = problemsOf(await stageDoctor(cli));
    expect(frozen).toContain(`run npm run set-wechat-secret -- --stage prod --appid ${shop}`);
  });

  it('looks at a stage whose domain leads nowhere yet at the address that it is told', async () => {
    const { stdout } = await runCommand('doctor', ['--stage', 'early', '--url', service.url], { aws: aws() });

    expect(stdout).toContain(`ok       reachable: ${service.url} answers`);
    expect(stdout).toContain(
      `problem  discovery document: it names the issuer ${service.url} and is served at https://login.example.com`,
    );
  });

  it('says with which query the log of a stage is read, when the AWS CLI is missing or may not', async () => {
    wechat.setFault({ fault: 'secret_frozen' });

    const [problem] = problemsOf(await stageDoctor('echo AccessDenied >&2; exit 254'));

    expect(problem).toMatch(
      /in the log group login-logs, with Logs Insights: fields reason, wechat_errcode \| filter request_id = "[\w-]+"$/,
    );
  });

  it('asks for an appid only of those that are served', async () => {
    const finished = await doctor(['--url', service.url, '--appid', 'wxunknown']);

    expect(problemsOf(finished)).toEqual([
      expect.stringContaining('does not serve wxunknown: add it to appids'),
    ]);
  });

  it('lets a key live for two rotations and a little more', async () => {
    const day = 86_400;
    await setSigningKeyAge(61 * day);
    const late = await doctor(['--url', service.url]);
    await setSigningKeyAge(63 * day);
    const tooLate = await doctor(['--url', service.url]);
    await setSigningKeyAge(0);

    expect(late.status).toBe(0);
    expect(problemsOf(tooLate)).toEqual([
      expect.stringContaining(
        'it is 63 days old and should have been retired after 60, so the rotation fails',
      ),
    ]);
  });

  it('tells that WeChat is down from everything else', async () => {
    await wechat.close();

    const finished = await doctor(['--url', service.url, '--log', logFile]);

    expect(problemsOf(finished)).toEqual([
      expect.stringMatching(
        /^problem {2}WeChat: The call to WeChat failed: 127\.0\.0\.1:\d+: .* for an outage/,
      ),
    ]);
  });
});
