/** The controls of a run, by name: what the page's buttons and the commands ask for. */
import type { CodeOwner } from '../wechat/accounts.ts';
import { readMembers } from '../wechat/control-request.ts';
import { FIRST_HOST_DOWN, faultNamed, nameOf, presetNames } from '../wechat/presets.ts';
import type { WechatSimulator } from '../wechat/simulator.ts';
import {
  type FaultRow,
  type ForeignRoute,
  type Operations,
  oddTokens,
  type RunAddresses,
  type RunState,
  userChanges,
} from './run-state.ts';

/** What the controls work on. */
export interface ControlsOptions {
  /** Undefined when another WeChat is called. */
  readonly simulator: WechatSimulator | undefined;
  readonly operations: Operations;
  readonly addresses: RunAddresses;
  readonly routes: readonly string[];
  readonly foreignRoutes: () => readonly ForeignRoute[];
}

type Body = Readonly<Record<string, unknown>>;

/** A request that the controls refuse; the message says why. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
}

/** The controls by the last part of their path. */
export type Controls = Readonly<Record<string, (body: Body) => Promise<object>>>;

export function createControls(options: ControlsOptions): Controls {
  const { operations, addresses, routes, foreignRoutes } = options;

  const simulator = (): WechatSimulator => {
    if (options.simulator === undefined)
      throw new ControlError('This run calls the real WeChat: there is nothing to switch.');
    return options.simulator;
  };

  async function state(): Promise<RunState> {
    const wechat = options.simulator;
    const [users, keys] = await Promise.all([operations.users(), operations.keys()]);
    return {
      addresses,
      routes,
      foreignRoutes: foreignRoutes(),
      presets: wechat === undefined ? [] : presetNames,
      faults: wechat === undefined ? [] : faultsOf(wechat),
      users,
      keys,
    };
  }

  async function setFault(body: Body): Promise<object> {
    const { name, times, code, user_id } = checked(body, {
      name: 'string',
      times: 'number',
      code: 'string',
      user_id: 'string',
    });
    const wechat = simulator();
    if (name === FIRST_HOST_DOWN) {
      await wechat.setFirstHostDown(true);
      return { faults: faultsOf(wechat) };
    }
    const fault = faultNamed(String(name));
    if (fault === undefined)
      throw new ControlError(
        `There is no such fault: name an errcode, or one of ${presetNames.join(', ')}, or one of the simulator's own.`,
      );
    if (times !== undefined && !(Number.isInteger(times) && Number(times) > 0))
      throw new ControlError('times must be a whole number from 1 up.');
    const user =
      user_id === undefined ? undefined : (await operations.users()).find((each) => each.user_id === user_id);
    if (user_id !== undefined && user === undefined) throw new ControlError('There is no such user.');
    wechat.setFault({
      ...fault,
      ...(times !== undefined && { times: Number(times) }),
      ...(code !== undefined && { code: String(code) }),
      ...(user !== undefined && { openid: user.openid }),
    });
    return { faults: faultsOf(wechat) };
  }

  return {
    state,
    fault: setFault,
    'clear-faults': async () => {
      const wechat = simulator();
      wechat.clearFaults();
      await wechat.setFirstHostDown(false);
      return { faults: faultsOf(wechat) };
    },
    code: async (body) => {
      const owner: CodeOwner = checked(body, { openid: 'string', appid: 'string' });
      return { code: simulator().issueCode(owner) };
    },
    'reset-secret': async (body) => {
      const { appid } = checked(body, { appid: 'string' });
      if (!addresses.appids.some((each) => each === appid)) throw new ControlError('There is no such appid.');
      return { secret: simulator().resetSecret(String(appid)) };
    },
    user: async (body) => {
      const { change, user_id } = checked(body, { change: 'string', user_id: 'string' });
      const what = userChanges.find((each) => each === change);
      if (what === undefined) throw new ControlError(`change must be one of ${userChanges.join(', ')}.`);
      if (!(await operations.changeUser(what, String(user_id))))
        throw new ControlError('There is no such user.');
      return {};
    },
    'age-keys': async () => {
      await operations.ageKeys();
      return operations.keys();
    },
    rotate: async () => {
      await operations.ageKeys();
      await operations.rotate();
      return operations.keys();
    },
    drop: async (body) => {
      const { kid } = checked(body, { kid: 'string' });
      const { current, next, retired } = await operations.keys();
      if (![current, next, ...retired].some((key) => key.kid === kid))
        throw new ControlError('There is no such key.');
      await operations.drop(String(kid));
      return operations.keys();
    },
    token: async (body) => {
      const { kind } = checked(body, { kind: 'string' });
      const odd = oddTokens.find((each) => each === kind);
      if (odd === undefined) throw new ControlError(`kind must be one of ${oddTokens.join(', ')}.`);
      return { token: await operations.oddToken(odd) };
    },
    /** Another origin, which a browser would have to allow; so this calls it for the page. */
    foreign: async (body) => {
      const { url, method, token } = checked(body, { url: 'string', method: 'string', token: 'string' });
      const route = foreignRoutes().find((each) => each.url === url && each.method === method);
      if (route === undefined) throw new ControlError('There is no such route beside this service.');
      const response = await fetch(route.url, {
        method: route.method,
        headers: { authorization: `Bearer ${token}` },
      });
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await response.text(),
      };
    },
  };
}

function checked(body: Body, types: Parameters<typeof readMembers>[1]): Body {
  try {
    return { ...readMembers({ ...body }, types) };
  } catch (error) {
    throw new ControlError(error instanceof Error ? error.message : 'That cannot be read.');
  }
}

function faultsOf(wechat: WechatSimulator): readonly FaultRow[] {
  return [
    ...(wechat.firstHostIsDown() ? [{ name: FIRST_HOST_DOWN }] : []),
    ...wechat.faults().map(({ fault, callsLeft }) => ({
      name: nameOf(fault),
      ...(callsLeft !== undefined && { callsLeft }),
      ...(fault.code !== undefined && { code: fault.code }),
      ...(fault.openid !== undefined && { openid: fault.openid }),
    })),
  ];
}
