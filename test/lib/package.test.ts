import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');

/** What a team of another account pastes: every kind of API, protected in one line each. */
const snippet = `
import { App, Stack } from 'aws-cdk-lib';
import { LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpMethod, WebSocketApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration, WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Definition, GraphqlApi } from 'aws-cdk-lib/aws-appsync';
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import { WechatTokenAuthorizer, WechatTokenIssuer } from 'wechat-login';
import { memberOf } from 'wechat-login/member';

const app = new App();
const authorizerArn = 'arn:aws:lambda:eu-west-1:222222222222:function:login-authorizer';

function addApis(stack: Stack, issuer: WechatTokenIssuer) {
  const orders = new Function(stack, 'Orders', {
    code: Code.fromInline('exports.handler = async () => ({ statusCode: 200 })'),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
  });
  const auth = new WechatTokenAuthorizer(stack, 'Auth', { issuer });

  new HttpApi(stack, 'Native', { defaultAuthorizer: issuer.nativeJwtAuthorizer() }).addRoutes({
    path: '/orders',
    methods: [HttpMethod.GET],
    integration: new HttpLambdaIntegration('Orders', orders),
  });
  new HttpApi(stack, 'Http').addRoutes({
    path: '/orders',
    authorizer: auth.forHttpApi(),
    integration: new HttpLambdaIntegration('Orders', orders),
  });
  new RestApi(stack, 'RestApi').root.addMethod('GET', new LambdaIntegration(orders), {
    authorizer: auth.forRestApi(),
  });
  new WebSocketApi(stack, 'WebSocket', {
    connectRouteOptions: {
      integration: new WebSocketLambdaIntegration('Connect', orders),
      authorizer: auth.forWebSocketApi('protocol'),
    },
  });
  new GraphqlApi(stack, 'Graph', {
    name: 'orders',
    definition: Definition.fromFile('schema.graphql'),
    authorizationConfig: { defaultAuthorization: auth.forAppSync() },
  });
}

const sameAccount = new Stack(app, 'SameAccount');
addApis(sameAccount, WechatTokenIssuer.fromStage(sameAccount, 'Login', { stage: 'prod' }));

const otherAccount = new Stack(app, 'OtherAccount', { env: { account: '111111111111', region: 'eu-west-1' } });
const login = WechatTokenIssuer.fromAttributes(otherAccount, 'Login', {
  issuer: 'https://login.example.com',
  audience: 'wechat-login',
  authorizerArn,
});
addApis(otherAccount, login);
new HttpApi(otherAccount, 'Central', { defaultAuthorizer: login.centralAuthorizer().forHttpApi() });

const china = new Stack(app, 'China', { env: { account: '111111111111', region: 'cn-north-1' } });
addApis(
  china,
  WechatTokenIssuer.fromAttributes(china, 'Login', {
    issuer: 'https://abc.execute-api.cn-north-1.amazonaws.com.cn/v1',
    audience: 'wechat-login',
  }),
);

export const handler = async (event: Parameters<typeof memberOf>[0]): Promise<string> => memberOf(event).userId;
app.synth();
`;

/** A test that another team writes against its own verifier. */
const kitSnippet = `
import { createTestIssuer } from 'wechat-login/testing';
const issuer = await createTestIssuer({ audience: 'orders' });
const response = await fetch(issuer.jwksUrl);
const token: string = await issuer.token({ userId: 'user-7' });
console.log(response.status, token.split('.').length, issuer.audience);
await issuer.close();
`;

let folder: string;
let installed: string;

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): string =>
  execFileSync(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orders-'));
  execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    stdio: 'ignore',
  });
  // Installed without a registry: unpacked, beside the packages that its peers and its one dependency name.
  installed = join(folder, 'node_modules/wechat-login');
  mkdirSync(installed, { recursive: true });
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', join(folder, tarball), '-C', installed, '--strip-components=1']);
  mkdirSync(join(folder, 'node_modules/@types'));
  for (const name of ['aws-cdk-lib', 'constructs', 'jose', '@types/node', 'undici-types'])
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  writeFileSync(join(folder, 'app.ts'), snippet);
  writeFileSync(join(folder, 'schema.graphql'), 'type Query { orders: Int }');
  writeFileSync(join(folder, 'kit.ts'), kitSnippet);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  mkdirSync(join(folder, 'commonjs'));
  writeFileSync(join(folder, 'commonjs/app.ts'), snippet);
  writeFileSync(join(folder, 'commonjs/package.json'), JSON.stringify({ type: 'commonjs' }));
  run(['app.ts'], { CDK_OUTDIR: join(folder, 'cdk.out') });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the package, installed in an empty folder', () => {
  it('type-checks what the guide says, as an ES module and as the CommonJS that cdk init sets up', () => {
    const flags = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'];

    run([tsc, ...flags, 'app.ts', 'kit.ts', 'commonjs/app.ts']);

    run(['commonjs/app.js'], { CDK_OUTDIR: join(folder, 'cdk.out.commonjs') });
    for (const name of ['SameAccount', 'OtherAccount', 'China'].map((stack) => `${stack}.template.json`))
      expect(readFileSync(join(folder, 'cdk.out.commonjs', name), 'utf8')).toBe(
        readFileSync(join(folder, 'cdk.out', name), 'utf8'),
      );
  });

  it('synthesizes every kind of API, in the same account, in another one and in China', () => {
    for (const stack of ['SameAccount', 'OtherAccount', 'China']) {
      const text = readFileSync(join(folder, 'cdk.out', `${stack}.template.json`), 'utf8');
      const { Resources } = JSON.parse(text) as {
        Resources: Record<string, { Type: string; Properties: Properties }>;
      };
      const all = Object.values(Resources);
      expect(all.filter(({ Type }) => Type === 'AWS::AppSync::GraphQLApi')).toHaveLength(1);
      expect(all.filter(({ Type }) => Type === 'AWS::ApiGateway::Authorizer')).toHaveLength(1);
      for (const { Type, Properties } of all) {
        if (Type !== 'AWS::Lambda::Permission') continue;
        expect(Properties.Principal).not.toBe('*');
        expect(Properties.SourceArn).toBeDefined();
      }
    }
  });

  it('deploys a bundle that starts alone', () => {
    const assets = readdirSync(join(folder, 'cdk.out')).filter((name) => name.startsWith('asset.'));
    const bundles = assets.filter((name) => readdirSync(join(folder, 'cdk.out', name)).includes('index.mjs'));
    expect(bundles).toHaveLength(1);

    const bundle = join(folder, 'cdk.out', bundles[0] ?? '', 'index.mjs');
    expect(readFileSync(bundle).length).toBeLessThan(120 * 1024);
    const environment = {
      TOKEN_ISSUER: 'https://login.example.com',
      TOKEN_AUDIENCE: 'wechat-login',
      JWKS_URL: 'http://127.0.0.1:1/jwks.json',
      HTTP_RESPONSE: 'simple',
      CACHE_TTL_SECONDS: '300',
    };
    const start = (env: NodeJS.ProcessEnv) =>
      run(['--input-type=module', '-e', `console.log(typeof (await import('${bundle}')).handler)`], env);
    expect(start(environment).trim()).toBe('function');
    expect(() => start({ ...environment, JWKS_URL: 'http://login.example.com/jwks.json' })).toThrow(
      'JWKS_URL is not an https URL',
    );
  });

  it('offers memberOf and the test kit without CDK', () => {
    rmSync(join(folder, 'node_modules/aws-cdk-lib'));
    try {
      expect(run(['kit.ts']).trim()).toBe('200 3 orders');
      const use = "console.log(typeof (await import('wechat-login/member')).memberOf)";
      expect(run(['--input-type=module', '-e', use]).trim()).toBe('function');
    } finally {
      symlinkSync(join(root, 'node_modules/aws-cdk-lib'), join(folder, 'node_modules/aws-cdk-lib'));
    }
  });

  it('holds what it needs and nothing of the service', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });

    expect(files.filter((name) => /\.(ts|js|mjs)$/.test(name) && !name.startsWith('dist/'))).toEqual([]);
    for (const text of ['login-stack', 'environment', 'rotation', 'wechat-simulator'])
      expect(files.filter((name) => name.includes(text))).toEqual([]);
  });
});

interface Properties {
  readonly Principal?: string;
  readonly SourceArn?: unknown;
}
