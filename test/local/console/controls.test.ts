import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Controls, createControls } from '../../../local/console/controls.ts';
import type { KeyRows, Operations } from '../../../local/console/run-state.ts';
import { startWechatSimulator, type WechatSimulator } from '../../../local/wechat/simulator.ts';

const appid = 'wx0123456789abcdef';
const user = { user_id: 'u-1', appid, openid: 'o-1', username: '', status: 'active', last_login_at: 1 };
const keys: KeyRows = {
  current: { kid: 'k-1', published_at: 1 },
  next: { kid: 'k-2', published_at: 2 },
  retired: [],
};

let simulator: WechatSimulator;
let controls: Controls;
let done: string[];
/** Another team's service: says what it was sent. */
const orders = createServer(({ method, headers }, response) =>
  response.writeHead(401, { 'x-team': 'orders' }).end(`${method} ${headers.authorization}`),
);
let ordersUrl: string;

const operations: Operations = {
  users: async () => [user],
  changeUser: async (what, userId) => {
    done.push(`${what} ${userId}`);
    return userId === user.user_id;
  },
  keys: async () => keys,
  ageKeys: async () => void done.push('age'),
  rotate: async () => void done.push('rotate'),
  drop: async (kid) => void done.push(`drop ${kid}`),
  oddToken: async (kind) => `a token that is ${kind}`,
};

beforeAll(async () => {
  simulator = await startWechatSimulator({ apps: { [appid]: 's'.repeat(32) }, hosts: 2 });
  await once(orders.listen(0, '127.0.0.1'), 'listening');
  ordersUrl = `http://127.0.0.1:${(orders.address() as AddressInfo).port}/orders`;
  done = [];
  controls = createControls(optionsWith(simulator));
});
afterAll(async () => {
  await simulator.close();
  orders.close();
});

const optionsWith = (wechat: WechatSimulator | undefined): Parameters<typeof createControls>[0] => ({
  simulator: wechat,
  operations,
  addresses: {
    ...{ url: '', dynamodb: '', table: '', secretsManager: '', keyRingArn: '', wechatSecretsArn: '' },
    appids: [appid],
  },
  routes: [],
  foreignRoutes: () => [{ method: 'PUT', url: ordersUrl }],
});

const use = (name: string, body: object = {}, of = controls): Promise<object> =>
  of[name]?.({ ...body }) ?? Promise.reject(new Error(`no control ${name}`));

describe('the controls', () => {
  it('break WeChat for some calls of one user, and heal it', async () => {
    const faults = [{ name: 'busy', callsLeft: 2, openid: 'o-1' }];
    expect(await use('fault', { name: 'busy', times: 2, user_id: 'u-1' })).toEqual({ faults });
    expect(await use('fault', { name: 'first_host_down' })).toEqual({
      faults: [{ name: 'first_host_down' }, ...faults],
    });

    expect(await use('clear-faults')).toEqual({ faults: [] });
  });

  it("call another team's routes with a token, and no other address", async () => {
    const route = { method: 'PUT', url: ordersUrl };

    expect(await use('foreign', { ...route, token: 't' })).toMatchObject({
      status: 401,
      headers: { 'x-team': 'orders' },
      body: 'PUT Bearer t',
    });
    for (const other of [{ method: 'DELETE' }, { url: `${ordersUrl}/1` }, { url: 'http://127.0.0.1:1/' }])
      await expect(use('foreign', { ...route, token: 't', ...other })).rejects.toThrow(
        'There is no such route',
      );
  });

  it('age the next key before a rotation, and drop a key that there is', async () => {
    done.length = 0;

    expect(await use('rotate')).toEqual(keys);
    expect(await use('drop', { kid: 'k-2' })).toEqual(keys);

    expect(done).toEqual(['age', 'rotate', 'drop k-2']);
  });

  it.each<[string, object, string]>([
    ['fault', { name: 'busyy' }, 'There is no such fault'],
    ['fault', { name: 'busy', times: 0 }, 'times must be a whole number from 1 up'],
    ['fault', { name: 'busy', times: '3' }, 'times must be a number'],
    ['fault', { name: 'busy', user_id: 'u-2' }, 'There is no such user'],
    ['fault', { name: 'busy', more: 1 }, 'more is not known'],
    ['user', { change: 'ban', user_id: 'u-2' }, 'There is no such user'],
    ['user', { change: 'constructor', user_id: 'u-1' }, 'change must be one of'],
    ['drop', { kid: 'k-3' }, 'There is no such key'],
    ['token', { kind: 'good' }, 'kind must be one of expired'],
    ['reset-secret', { appid: 'wx1' }, 'There is no such appid'],
  ])('refuse %s with %j in a sentence', async (name, body, words) => {
    await expect(use(name, body)).rejects.toThrow(words);
    await expect(use(name, body)).rejects.toHaveProperty('name', 'ControlError');
  });

  it('have nothing to switch where another WeChat is called', async () => {
    const real = createControls(optionsWith(undefined));

    for (const name of ['fault', 'clear-faults', 'code'])
      await expect(use(name, name === 'fault' ? { name: 'busy' } : {}, real)).rejects.toThrow(
        'the real WeChat',
      );
    expect(await use('state', {}, real)).toMatchObject({ presets: [], faults: [], users: [user] });
  });
});
