import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage, root, runNode, tsc } from '../../fixtures/installed-package.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

let folder: string;
let tarball: string;
const manifest = JSON.parse(readFileSync(join(root, 'examples/other-team/package.json'), 'utf8'));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'orders-'));
  cpSync(join(root, 'examples/other-team'), folder, {
    recursive: true,
    filter: (path) => !path.includes('node_modules'),
  });
  const { 'wechat-login': _, ...others } = { ...manifest.dependencies, ...manifest.devDependencies };
  tarball = installPackage(folder, Object.keys(others));
  // What an installation leaves behind, by which CDK finds the root of the app.
  writeFileSync(join(folder, 'package-lock.json'), '{}');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the example, copied out of the repository', () => {
  it('names the tarball that npm pack makes', () => {
    expect(manifest.dependencies['wechat-login']).toBe(`file:${tarball}`);
  });

  it('type-checks against the packed declarations and passes its own tests', () => {
    expect(manifest.scripts.test).toBe('tsc && node --test');

    runNode(folder, [tsc]);

    expect(runNode(folder, ['--test'])).toMatch(/pass 3\n.*fail 0\n/);
  });

  it('synthesizes with an authorizer on every route, of the stage that it is told to trust', () => {
    const { context } = JSON.parse(readFileSync(join(folder, 'cdk.json'), 'utf8'));
    runNode(folder, ['bin/app.ts'], {
      CDK_OUTDIR: join(folder, 'cdk.out'),
      CDK_CONTEXT_JSON: JSON.stringify({ ...context, loginStage: 'prod' }),
    });

    const text = readFileSync(join(folder, 'cdk.out/Orders.template.json'), 'utf8');
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
