import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../../fixtures/operator-command.ts';

/** Systems Manager with the same value for every parameter. */
async function parametersAre(Value: string): Promise<string> {
  const server = createServer(async (request, response) => {
    const { Name } = (await json(request)) as { Name: string };
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ Parameter: { Name, Value } }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it.each([
  ['rotate-keys', [], 'key-ring-arn', 'the ARN of a secret'],
  ['set-wechat-secret', ['--appid', 'wx1'], 'wechat-secrets-arn', 'the ARN of a secret'],
  ['doctor', [], 'issuer', 'an http(s) URL without a slash at its end'],
] as const)(
  '%s --stage names a parameter that it cannot use, and its value',
  async (name, args, parameter, words) => {
    const { status, stderr } = await runCommand(name, ['--stage', 'prod', ...args], {
      aws: {
        AWS_REGION: 'eu-west-1',
        AWS_ACCESS_KEY_ID: 'operator',
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_ENDPOINT_URL_SSM: await parametersAre('dummy-value'),
      },
    });

    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `Parameter /wechat-login/prod/${parameter} is 'dummy-value'; it must be ${words}: deploy stage 'prod' again.\n`,
    });
  },
);
