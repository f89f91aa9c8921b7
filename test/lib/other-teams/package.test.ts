import {
  cpSync,
  globSync,
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
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, packPackage, root, runNode, tsc } from '../../fixtures/installed-package.ts';

/** The code of the page for other teams, in its order: what they paste into their stacks. */
const page = readFileSync(join(root, 'docs/other-teams.md'), 'utf8');
const fences = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);
const [fromStage = '', fromAttributes = '', ...ways] = fences.slice(0, -1);
const handler = fences.at(-1);

/** A stack of another team around what it pasted. */
const stackOf = (name: string, login: string): string => `
class ${name} extends Stack {
  constructor(props?: StackProps) {
    super(app, '${name}', props);
    const http = new HttpApi(this, 'Http');
    const rest = new RestApi(this, 'RestApi');
    const shopRest = new RestApi(this, 'ShopRest');
    const orders = new Function(this, 'Orders', {
      code: Code.fromInline('exports.handler = async () => ({ statusCode: 200 })'),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
    });
    const integration = new HttpLambdaIntegration('Orders', orders);
    const connect = new WebSocketLambdaIntegration('Connect', orders);
    const definition = Definition.fromFile('schema.graphql');
    ${login}
    ${ways.join('')}
  }
}`;

const snippet = `
import { App, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { LambdaIntegration, RestApi } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, WebSocketApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration, WebSocketLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Definition, GraphqlApi } from 'aws-cdk-lib/aws-appsync';
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda';
import { WechatTokenAuthorizer, WechatTokenIssuer } from 'wechat-login';
${handler}

const app = new App();
${stackOf('SameAccount', fromStage)}
new SameAccount();
${stackOf('OtherAccount', fromAttributes)}
new OtherAccount({ env: { account: '111111111111', region: 'eu-west-1' } });
${stackOf('China', fromAttributes.replace('arn:aws:lambda:eu-west-1', 'arn:aws-cn:lambda:cn-north-1'))}
new China({ env: { account: '111111111111', region: 'cn-north-1' } });
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

const options = { strict: true, target: 'es2022', types: ['node'], skipLibCheck: true, rootDir: '.' };
/** What is compiled besides the example, in one go: all of them read CDK's declarations, which are a million lines. */
const projects = {
  'tsconfig.json': {
    compilerOptions: { ...options, module: 'nodenext', rewriteRelativeImportExtensions: true },
    files: ['app.ts', 'kit.ts', 'commonjs/app.ts'],
    // Our declarations as sources, in which every type is checked, as it is for nobody's declarations here.
    include: ['declarations'],
  },
  'bundler.json': {
    compilerOptions: { ...options, module: 'esnext', moduleResolution: 'bundler', noEmit: true },
    files: ['app.ts', 'kit.ts'],
  },
};

/** The app of another team. */
let folder: string;
let installed: string;
/** The example, copied out of the repository. */
let example: string;
let tarball: string;
const manifest = JSON.parse(readFileSync(join(root, 'examples/other-team/package.json'), 'utf8'));

const run = (args: readonly string[], env?: NodeJS.ProcessEnv): string => runNode(folder, args, env);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orders-'));
  installed = join(folder, 'node_modules/wechat-login');
  tarball = packPackage(folder);
  installPackage(join(folder, tarball), folder, ['aws-cdk-lib', 'constructs', '@types/node', 'undici-types']);
  writeFileSync(join(folder, 'app.ts'), snippet);
  writeFileSync(join(folder, 'schema.graphql'), 'type Query { orders: Int }');
  writeFileSync(join(folder, 'kit.ts'), kitSnippet);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  mkdirSync(join(folder, 'commonjs'));
  writeFileSync(join(folder, 'commonjs/app.ts'), snippet);
  writeFileSync(join(folder, 'commonjs/package.json'), JSON.stringify({ type: 'commonjs' }));
  for (const [file, project] of Object.entries(projects))
    writeFileSync(join(folder, file), JSON.stringify(project));
  const declarations = join(installed, 'dist/types');
  for (const file of globSync('**/*.d.ts', { cwd: declarations }))
    cpSync(join(declarations, file), join(folder, 'declarations', file.replace(/\.d\.ts$/, '.ts')));

  example = mkdtempSync(join(tmpdir(), 'orders-'));
  cpSync(join(root, 'examples/other-team'), example, {
    recursive: true,
    filter: (path) => !path.includes('node_modules'),
  });
  const { 'wechat-login': _, ...others } = { ...manifest.dependencies, ...manifest.devDependencies };
  installPackage(join(folder, tarball), example, Object.keys(others));
  // What an installation leaves behind, by which CDK finds the root of the app.
  writeFileSync(join(example, 'package-lock.json'), '{}');

  run(['app.ts'], { CDK_OUTDIR: join(folder, 'cdk.out') });
});
afterAll(() => {
  for (const each of [folder, example]) rmSync(each, { recursive: true });
});

describe('the package, installed in an empty folder', () => {
  it('type-checks: its declarations, the example, and what the guide says in every kind of module', () => {
    run([tsc, '--build', ...Object.keys(projects), example]);

    // As cdk init sets an app up.
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
      expect(all.filter(({ Type }) => Type === 'AWS::ApiGateway::Authorizer')).toHaveLength(2);
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
    // Each metric would be on the bill of the account that it runs in.
    expect(readFileSync(bundle, 'utf8')).not.toContain('CloudWatchMetrics');
    const environment = {
      POWERTOOLS_SERVICE_NAME: 'wechat-login-authorizer',
      TOKEN_ISSUER: 'https://login.example.com',
      TOKEN_AUDIENCE: 'wechat-login',
      JWKS_URL: 'http://127.0.0.1:1/jwks.json',
      HTTP_RESPONSE: 'simple',
      ALLOWED_APPIDS: '*',
      CACHE_TTL_SECONDS: '300',
    };
    const start = (env: NodeJS.ProcessEnv) =>
      run(['--input-type=module', '-e', `console.log(typeof (await import('${bundle}')).handler)`], env);
    expect(start(environment).trim()).toBe('function');
    expect(() => start({ ...environment, JWKS_URL: 'http://login.example.com/jwks.json' })).toThrow(
      'JWKS_URL is not an https URL',
    );
  });

  it('is the same whether it is required or imported, also where ES modules cannot be required', () => {
    for (const entry of ['wechat-login', 'wechat-login/member', 'wechat-login/testing']) {
      const names = `const required = require('${entry}');
        import('${entry}').then((imported) => {
          const { default: _, 'module.exports': __, ...named } = imported;
          for (const name in named) if (named[name] !== required[name]) throw new Error(name);
          console.log(Object.keys(required).sort().join() === Object.keys(named).sort().join());
        });`;
      expect([entry, run(['--no-experimental-require-module', '-e', names]).trim()]).toEqual([entry, 'true']);
    }
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
    for (const text of ['login-stack', 'environment', 'rotation', 'wechat-simulator', 'mint'])
      expect(files.filter((name) => name.includes(text))).toEqual([]);
  });

  it('brings no other package along, and the licenses of those that are in its bundles', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));

    expect(Object.keys(manifest)).not.toContain('dependencies');
    expect(Object.keys(manifest)).not.toContain('private');
    const licenses = readFileSync(join(installed, 'dist/THIRD-PARTY-LICENSES'), 'utf8');
    expect(licenses).toMatch(/^jose \d/m);
    expect(licenses).toMatch(/^valibot \d/m);
  });
});

describe('the example, copied out of the repository', () => {
  it('names the tarball that npm pack makes', () => {
    expect(manifest.dependencies['wechat-login']).toBe(`file:${tarball}`);
  });

  it('passes its own tests', () => {
    // The compiler has passed it above.
    expect(manifest.scripts.test).toBe('tsc && node --test');
    expect(runNode(example, ['--test'])).toMatch(/pass 3\n.*fail 0\n/);
  });

  it('synthesizes with an authorizer on every route, of the stage that it is told to trust', () => {
    const { context } = JSON.parse(readFileSync(join(example, 'cdk.json'), 'utf8'));
    runNode(example, ['bin/app.ts'], {
      CDK_OUTDIR: join(example, 'cdk.out'),
      CDK_CONTEXT_JSON: JSON.stringify({ ...context, loginStage: 'prod' }),
    });

    const text = readFileSync(join(example, 'cdk.out/Orders.template.json'), 'utf8');
    const resources = Object.values(JSON.parse(text).Resources as Record<string, Resource>);
    const routes = resources
      .filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route' || Type === 'AWS::ApiGateway::Method')
      .map(({ Properties: { RouteKey, HttpMethod, AuthorizationType, AuthorizerId } }) => {
        expect(AuthorizerId !== undefined).toBe(AuthorizationType !== 'NONE');
        return `${RouteKey ?? `REST ${HttpMethod}`}: ${AuthorizationType}`;
      });
    expect(routes.sort()).toEqual([
      '$connect: CUSTOM',
      // Messages belong to a connection that was let in: no other route of a WebSocket API can have an authorizer.
      '$default: NONE',
      'DELETE /orders: CUSTOM',
      'GET /orders: JWT',
      'POST /orders: CUSTOM',
      'PUT /orders: CUSTOM',
      'REST GET: CUSTOM',
    ]);
    expect(text).toContain('"/wechat-login/prod/issuer"');
    expect(text).not.toContain('/wechat-login/dev/');
  });
});

it('asks for no newer CDK than the oldest app of test/attach has', () => {
  const read = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  const { 'aws-cdk-lib': cdk, constructs } = read('test/attach/fixtures/commonjs').dependencies;

  expect(read('.').peerDependencies).toEqual({ 'aws-cdk-lib': `^${cdk}`, constructs: `^${constructs}` });
});

describe('the app of test/attach that stands for what cdk init makes', () => {
  const fixture = join(root, 'test/attach/fixtures/cdk-init');
  const read = (directory: string, file: string): string => readFileSync(join(directory, file), 'utf8');

  it('is set up like what it makes today', () => {
    // What it copies.
    const made = join(root, 'node_modules/aws-cdk/lib/init-templates/app/typescript');

    const { scripts, devDependencies } = JSON.parse(read(made, 'package.json'));
    const ours = JSON.parse(read(fixture, 'package.json'));
    expect(ours.scripts).toMatchObject(scripts);
    expect(Object.keys(ours.devDependencies)).toEqual(expect.arrayContaining(Object.keys(devDependencies)));
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules/aws-cdk/package.json'), 'utf8'));
    for (const [name, range] of Object.entries<string>({ ...devDependencies, 'aws-cdk': version }))
      expect([name, majorOf(ours.devDependencies[name])]).toEqual([name, majorOf(range)]);
    expect(JSON.parse(read(fixture, 'cdk.json')).app).toBe(
      JSON.parse(read(made, 'cdk.template.json')).app.replace('bin/%name%.ts', 'bin/orders.ts'),
    );
    expect(JSON.parse(read(fixture, 'tsconfig.json'))).toEqual(JSON.parse(read(made, 'tsconfig.json')));
    expect(JSON.parse(run(['-p', `JSON.stringify(require('${fixture}/jest.config.js'))`]))).toEqual(
      JSON.parse(run(['-p', `JSON.stringify(require('${made}/jest.config.js'))`])),
    );
  });
});

const majorOf = (range: string): string | undefined => /\d+/.exec(range)?.[0];

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

interface Properties {
  readonly Principal?: string;
  readonly SourceArn?: unknown;
}
