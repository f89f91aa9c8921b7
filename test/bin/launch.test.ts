import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Check, createReport } from '../../bin/command/check.ts';
import { accountChecks } from '../../bin/launch/account-checks.ts';
import { changeChecks } from '../../bin/launch/change-checks.ts';
import { readDeployed } from '../../bin/launch/deployed.ts';
import { domainChecks } from '../../bin/launch/domain-checks.ts';
import { settingsChecks } from '../../bin/launch/settings-checks.ts';
import { launchOf } from '../../bin/launch.ts';
import type { CfnTemplate } from '../../bin/templates/service-spec.ts';
import { comparable, synthesize } from '../../bin/templates/stage-template.ts';
import { runHere } from '../fixtures/operator-command.ts';
import { settingsFor } from '../fixtures/stages.ts';

interface Answer {
  readonly status?: number;
  readonly body: unknown;
}

let server: Server;
let url: string;
/** What AWS answers, by the operation; each test changes some. */
let answers: Record<string, Answer>;
/** What was called, which must only be what reads. */
const called = new Set<string>();

const ACCOUNT = '123456789012';
const certificateArn = `arn:aws:acm:eu-west-1:${ACCOUNT}:certificate/01234567-89ab-cdef-0123-456789abcdef`;
const xml = (operation: string, result: string): Answer => ({
  body: `<${operation}Response xmlns="https://x/"><${operation}Result>${result}</${operation}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${operation}Response>`,
});
/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html */
const noStack: Answer = {
  status: 400,
  body: '<ErrorResponse xmlns="https://x/"><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id WechatLogin-dev does not exist</Message></Error><RequestId>r</RequestId></ErrorResponse>',
};
const notFound = (type: string): Answer => ({ status: 400, body: { __type: type, message: 'not there' } });

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const body = await text(request);
    const operation =
      new URLSearchParams(body).get('Action') ??
      String(request.headers['x-amz-target'] ?? `${request.method} ${request.url}`).replace(/^\w+\./, '');
    called.add(operation);
    const { status = 200, body: answer } = answers[operation] ?? { status: 500, body: operation };
    const isXml = typeof answer === 'string';
    response.writeHead(status, {
      date: new Date().toUTCString(),
      'content-type': isXml ? 'text/xml' : 'application/x-amz-json-1.1',
    });
    response.end(isXml ? answer : JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  expect([...called].filter((operation) => !/^(Get|Describe|GET )/.test(operation))).toEqual([]);
});

const aws = () =>
  ({
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'operator',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL: url,
    AWS_MAX_ATTEMPTS: '1',
  }) as const;

beforeEach(() => {
  for (const [name, value] of Object.entries(aws())) vi.stubEnv(name, value);
  answers = {
    GetCallerIdentity: xml(
      'GetCallerIdentity',
      `<Arn>arn:aws:iam::${ACCOUNT}:user/ops</Arn><UserId>u</UserId><Account>${ACCOUNT}</Account>`,
    ),
    DescribeStacks: noStack,
    GetParameter: { body: { Parameter: { Name: '/cdk-bootstrap/hnb659fds/version', Value: '28' } } },
    'GET /2016-08-19/account-settings': concurrency(1000, 1000),
    'GET /account': {
      body: { cloudwatchRoleArn: null, throttleSettings: { rateLimit: 10_000, burstLimit: 5000 } },
    },
    DescribeCertificate: certificate({}),
  };
});

const concurrency = (ConcurrentExecutions: number, UnreservedConcurrentExecutions: number): Answer => ({
  body: { AccountLimit: { ConcurrentExecutions, UnreservedConcurrentExecutions }, AccountUsage: {} },
});
const certificate = (rest: object): Answer => ({
  body: {
    Certificate: {
      CertificateArn: certificateArn,
      DomainName: 'login.example.com',
      SubjectAlternativeNames: ['login.example.com'],
      Status: 'ISSUED',
      NotAfter: 1_830_000_000,
      ...rest,
    },
  },
});

/** The report of some checks. */
async function reportOf(checks: readonly Check[]): Promise<string[]> {
  const stdout = new PassThrough();
  const report = createReport(stdout);
  for (const check of checks) await report.add(check);
  return (await text(stdout.end())).split('\n').filter((line) => line !== '');
}

const templates = new Map<string, object>();
const templateOf = (settings: object = {}): CfnTemplate => {
  const key = JSON.stringify(settings);
  const template = templates.get(key) ?? synthesize('prod', settingsFor('prod', settings)).template;
  templates.set(key, template);
  return comparable(template);
};
const minimal: CfnTemplate = { Resources: {} };
const reserving = (ReservedConcurrentExecutions: number): CfnTemplate => ({
  Resources: { F: { Type: 'AWS::Lambda::Function', Properties: { ReservedConcurrentExecutions } } },
});

describe('npm run launch', () => {
  it('says of an account in which all is well that it can be deployed', async () => {
    const { status, stdout, stderr } = await runHere(launchOf(settingsFor), ['--stage', 'dev'], {
      aws: aws(),
    });

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^ok {7}account: 123456789012 \(aws\), eu-west-1, as arn:aws:iam::/m);
    expect(stdout).toMatch(/^ok {7}bootstrap: version 28$/m);
    expect(stdout).toMatch(/\n\nReady: npx cdk deploy -c stage=dev\n$/);
  });

  it('ends with 1 where something is in the way, and looks at the rest all the same', async () => {
    answers.GetParameter = notFound('ParameterNotFound');

    const { status, stdout } = await runHere(launchOf(settingsFor), ['--stage', 'dev'], { aws: aws() });

    expect(status).toBe(1);
    expect(stdout).toMatch(
      /^problem {2}bootstrap: this account and region have none: run npx cdk bootstrap$/m,
    );
    expect(stdout).toMatch(/^ok {7}Lambda concurrency: /m);
    expect(stdout).toMatch(/\n\nSomething is in the way\. Nothing was changed\.\n$/);
  });

  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['no stage', [], {}, /^Say what is to be deployed: --stage\.\n\nUsage: /],
    [
      'a stage that is none',
      ['--stage', 'nope'],
      {},
      /^There is no stage 'nope' in lib\/config\.ts; [^\n]*\n$/,
    ],
    [
      'credentials that lead nowhere',
      ['--stage', 'dev'],
      { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' },
      /^Could not learn from AWS whose credentials these are: [^\n]*: set AWS_REGION and AWS_PROFILE, [^\n]*\n$/,
    ],
  ])('refuses %s in one sentence', async (_what, args, variables, words) => {
    const { status, stderr } = await runHere(launchOf(settingsFor), args, {
      aws: { ...aws(), ...variables },
    });

    expect(status).toBe(stderr.includes('\n\nUsage: ') ? 2 : 1);
    expect(stderr).toMatch(words);
  });

  it('says what the settings lack also where there are no credentials', async () => {
    const without = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_EC2_METADATA_DISABLED: 'true' };

    const { stdout } = await runHere(launchOf(settingsFor), ['--stage', 'prod'], {
      aws: { ...aws(), ...without },
    });

    expect(stdout).toMatch(
      /^problem {2}appids: Stage 'prod': .* which is an example[\s\S]*^look at {2}customDomain: /m,
    );
  });
});

describe('the account', () => {
  const look = (needs: Partial<Parameters<typeof accountChecks>[0]> = {}) =>
    reportOf(
      accountChecks({
        stage: 'prod',
        settings: settingsFor('prod'),
        bootstrapVersion: 6,
        next: minimal,
        deployed: undefined,
        ...needs,
      }),
    );

  it('needs a bootstrap that is new enough', async () => {
    answers.GetParameter = { body: { Parameter: { Value: '5' } } };

    expect((await look())[0]).toBe(
      'problem  bootstrap: version 5 is older than 6, which the stack needs: run npx cdk bootstrap',
    );
  });

  it('needs concurrency for what the stage reserves, beside the hundred that Lambda keeps', async () => {
    answers['GET /2016-08-19/account-settings'] = concurrency(10, 10);
    expect((await look({ next: reserving(100) }))[1]).toMatch(
      /^problem {2}Lambda concurrency: the stage reserves 100, and of 10 the account can give 0, /,
    );
    expect((await look())[1]).toMatch(/^look at {2}Lambda concurrency: no more than 10 requests /);

    answers['GET /2016-08-19/account-settings'] = concurrency(1000, 199);
    expect((await look({ next: reserving(100) }))[1]).toMatch(/^problem/);

    // What is provisioned is a part of what the same function reserves, if it does.
    const alias = (id: string) => ({
      Type: 'AWS::Lambda::Alias',
      Properties: {
        FunctionName: { Ref: id },
        ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 50 },
      },
    });
    answers['GET /2016-08-19/account-settings'] = concurrency(1000, 200);
    expect((await look({ next: { Resources: { ...reserving(100).Resources, A: alias('F') } } }))[1]).toMatch(
      /^ok /,
    );
    expect((await look({ next: { Resources: { ...reserving(100).Resources, A: alias('G') } } }))[1]).toMatch(
      /^problem .* reserves 150, /,
    );

    // What is deployed has reserved its share already.
    answers['GET /2016-08-19/account-settings'] = concurrency(1000, 100);
    const deployed = { status: 'UPDATE_COMPLETE', template: reserving(100), outputs: {} };
    expect((await look({ next: reserving(100), deployed }))[1]).toMatch(/^ok /);
  });

  it('has one role for the logs of all APIs', async () => {
    const roleIs = (cloudwatchRoleArn: string | null): void => {
      answers['GET /account'] = { body: { cloudwatchRoleArn, throttleSettings: { rateLimit: 10_000 } } };
    };
    const without = { settings: settingsFor('prod', { apiGatewayLogRole: false }) };

    expect((await look(without))[2]).toMatch(/^problem .* set apiGatewayLogRole: true/);
    expect((await look())[2]).toMatch(/^ok .* gets its role for logs from this stage$/);
    roleIs('arn:aws:iam::123456789012:role/WechatLogin-prod-ApiAccessLogRole-AbC');
    expect((await look())[2]).toMatch(/^ok /);
    roleIs('arn:aws:iam::123456789012:role/somebody');
    expect((await look())[2]).toMatch(/^look at .*role\/somebody, .* set apiGatewayLogRole: false/);
    expect((await look(without))[2]).toMatch(/^ok /);
  });

  it('limits all its APIs, maybe below the stage', async () => {
    answers['GET /account'] = { body: { throttleSettings: { rateLimit: 100, burstLimit: 50 } } };

    expect((await look())[2]).toMatch(
      /^look at .* share 100 requests a second, fewer than the 500 of 'throttle'/,
    );
  });

  it('may refuse to be looked at, which is said with what AWS says', async () => {
    answers['GET /account'] = { status: 403, body: { __type: 'AccessDeniedException', message: 'no' } };

    expect((await look())[2]).toMatch(/^problem .*the settings of API Gateway cannot be looked at \(/);
  });
});

describe('the custom domain', () => {
  const customDomain = { name: 'login.example.com', certificateArn };

  /** A DNS server that knows these records: https://www.rfc-editor.org/rfc/rfc1035 */
  async function dnsWith(records: { readonly cname?: string; readonly a?: Record<string, string> }) {
    const socket = createSocket('udp4');
    socket.on('message', (query, { port }) => {
      const end = query.indexOf(0, 12);
      const labels: string[] = [];
      for (let at = 12; at < end; at += (query[at] ?? 0) + 1)
        labels.push(query.subarray(at + 1, at + 1 + (query[at] ?? 0)).toString());
      const type = query.readUInt16BE(end + 1);
      const name = labels.join('.');
      const address = records.a?.[name];
      const data =
        type === 5 && name === customDomain.name && records.cname !== undefined
          ? Buffer.concat([
              ...records.cname.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
              Buffer.from([0]),
            ])
          : type === 1 && address !== undefined
            ? Buffer.from(address.split('.').map(Number))
            : undefined;
      const header = Buffer.from(query.subarray(0, 12));
      header.writeUInt16BE(0x8180, 2);
      header.writeUInt16BE(data === undefined ? 0 : 1, 6);
      header.writeUInt16BE(0, 10);
      const answer = Buffer.alloc(12);
      answer.writeUInt16BE(0xc00c, 0);
      answer.writeUInt16BE(type, 2);
      answer.writeUInt16BE(1, 4);
      answer.writeUInt16BE(data?.length ?? 0, 10);
      const question = query.subarray(12, end + 5);
      socket.send(
        data === undefined
          ? Buffer.concat([header, question])
          : Buffer.concat([header, question, answer, data]),
        port,
        '127.0.0.1',
      );
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    onTestFinished(() => void socket.close());
    const resolver = new Resolver();
    resolver.setServers([`127.0.0.1:${socket.address().port}`]);
    return resolver;
  }

  const look = async (needs: Partial<Parameters<typeof domainChecks>[0]> = {}) =>
    reportOf(
      domainChecks({
        settings: { customDomain },
        account: ACCOUNT,
        region: 'eu-west-1',
        deployed: undefined,
        dns: await dnsWith({}),
        ...needs,
      }),
    );

  it.each<[string, object, RegExp]>([
    ['is issued', {}, /^ok {7}certificate: issued for login\.example\.com, until 2027-12-28$/],
    ['has a star for it', { DomainName: '*.example.com', SubjectAlternativeNames: [] }, /^ok /],
    [
      'is for another',
      { DomainName: 'example.com', SubjectAlternativeNames: [] },
      /^problem .* and not for login/,
    ],
    ['waits', { Status: 'PENDING_VALIDATION' }, /^problem .* PENDING_VALIDATION: make the DNS records/],
    ['has ended', { Status: 'EXPIRED' }, /^problem .* EXPIRED$/],
  ])('its certificate %s', async (_what, rest, line) => {
    answers.DescribeCertificate = certificate(rest);

    expect((await look())[0]).toMatch(line);
  });

  it('needs a certificate that exists, of this region and account', async () => {
    expect((await look({ region: 'us-east-1' }))[0]).toMatch(
      /^problem .* in eu-west-1, .* goes to us-east-1/,
    );
    expect((await look({ account: '999999999999' }))[0]).toMatch(/^problem .* in account 123456789012, /);
    answers.DescribeCertificate = notFound('ResourceNotFoundException');
    expect((await look())[0]).toMatch(/^problem .*ResourceNotFoundException/);
  });

  it('leads to what is deployed, by a CNAME or by the same addresses', async () => {
    const target = 'd-abc.execute-api.eu-west-1.amazonaws.com';
    const deployed = { outputs: { DomainTarget: target } };
    const here = { a: { [target]: '192.0.2.1', 'login.example.com': '192.0.2.1' } };
    const elsewhere = { a: { [target]: '192.0.2.1', 'login.example.com': '192.0.2.9' } };

    expect((await look({ deployed, dns: await dnsWith({ cname: target }) }))[1]).toMatch(/^ok /);
    expect((await look({ deployed, dns: await dnsWith(here) }))[1]).toMatch(/^ok /);
    expect((await look({ deployed, dns: await dnsWith(elsewhere) }))[1]).toMatch(
      /^problem .* leads to 192\.0\.2\.9 instead of d-abc/,
    );
    expect((await look({ deployed }))[1]).toMatch(/^problem .* leads to nothing instead of d-abc/);
    expect((await look())[1]).toMatch(/^look at .* leads nowhere yet/);
    expect((await look({ dns: await dnsWith(elsewhere) }))[1]).toMatch(
      /^look at .* leads to 192\.0\.2\.9 today/,
    );
  });

  it('is not looked for where there is none', () => {
    expect(
      domainChecks({ settings: {}, account: '', region: '', deployed: undefined, dns: new Resolver() }),
    ).toEqual([]);
  });
});

describe('the changes', () => {
  const deployedIs = (template: object, status = 'UPDATE_COMPLETE', issuer = 'https://login.example.com') => {
    answers.DescribeStacks = xml(
      'DescribeStacks',
      `<Stacks><member><StackName>S</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus><Outputs><member><OutputKey>Issuer</OutputKey><OutputValue>${issuer}</OutputValue></member></Outputs></member></Stacks>`,
    );
    answers.GetTemplate = xml(
      'GetTemplate',
      `<TemplateBody>${JSON.stringify(template).replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</TemplateBody>`,
    );
  };
  const domain = { customDomain: { name: 'login.example.com', certificateArn } };
  const look = async (settings: object = domain, next = templateOf(settings)) =>
    reportOf(changeChecks(settingsFor('prod', settings), next, await readDeployed('S')));

  it('are none where the same is deployed', async () => {
    deployedIs(templateOf(domain));

    expect(await look()).toEqual([
      'ok       last deployment: UPDATE_COMPLETE',
      'ok       data: nothing that holds any is removed, renamed, replaced or less protected',
      'ok       issuer: stays https://login.example.com',
      "ok       changes: adds 0, changes 0, removes 0 resources, and the functions' code if that has changed",
    ]);
  });

  it('name what would lose data, be replaced or go', async () => {
    const before = templateOf(domain);
    const { UsersTable6D91A5EE: table = { Type: '' }, ...others } = before.Resources;
    deployedIs(before);

    const lines = await look(domain, { Resources: { ...others, Renamed: table } });

    expect(lines[1]).toBe(
      'problem  data: UsersTable6D91A5EE (AWS::DynamoDB::GlobalTable) is removed or renamed',
    );
    expect(lines[3]).toMatch(
      /^look at {2}changes: adds 1, changes 0, removes 1 .*: UsersTable6D91A5EE .* is removed$/,
    );
  });

  it('name an issuer that changes, with what that means', async () => {
    deployedIs(templateOf(), 'CREATE_COMPLETE', 'https://abc.execute-api.eu-west-1.amazonaws.com/v1');

    expect((await look())[2]).toMatch(
      /^look at {2}issuer: it changes from https:\/\/abc.* to https:\/\/login\..*every token ends/,
    );
    expect((await look({}))[2]).toMatch(/^ok /);
  });

  it.each(['ROLLBACK_COMPLETE', 'UPDATE_IN_PROGRESS', 'UPDATE_ROLLBACK_FAILED'])(
    'cannot be made after %s',
    async (status) => {
      deployedIs(minimal, status);

      expect((await look({}, minimal))[0]).toMatch(/^problem {2}last deployment: /);
    },
  );

  it('are everything where nothing is deployed', async () => {
    expect(await look({}, minimal)).toEqual([
      'ok       changes: nothing is deployed; this makes 0 resources',
    ]);
  });
});

it('settings that are as they come are named with the consequence', async () => {
  expect(await reportOf(settingsChecks('prod', settingsFor('prod')))).toEqual([
    expect.stringMatching(/^problem {2}appids: .* still names wx0123456789abcdef/),
    expect.stringMatching(/^look at {2}customDomain: is not set .* ends every login/),
    expect.stringMatching(/^look at {2}alarmEmails\.urgent: is not set .* nobody is woken/),
    expect.stringMatching(/^look at {2}alarmEmails\.notice: /),
    expect.stringMatching(/^look at {2}runbookUrl: /),
  ]);
  expect(await reportOf(settingsChecks('dev', settingsFor('dev')))).toEqual([
    'ok       appids: wx0123456789abcdef',
  ]);
});
