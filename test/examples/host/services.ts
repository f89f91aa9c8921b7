/** The login service and the orders service, typed by the contract, for what the pages show; one member, no tokens. */
import type { DeletionAnswer, LoginAnswer, Profile } from '../../../packages/mini-program/src/api-types.ts';
import type { Reply, Sent } from './wx.ts';

/** What the services know and how they are; a test changes it as it goes. */
export interface Known {
  username?: string;
  phone?: string | null;
  orders?: readonly string[];
  /** Refuses every request to these paths with status, error and text. */
  refuse?: Record<string, readonly [status: number, error: string, msg: string]>;
  /** Never answers the orders. */
  isSlow?: boolean;
  /** The deletion waits until then. */
  closesAt?: string;
}

/** Answers requests as both services would, and records what they were asked for. */
export function createServices(known: Known) {
  const asked: string[] = [];
  const envelope = (statusCode: number, rest: object): Reply => ({
    statusCode,
    data: { code: statusCode, request_id: '7f0c2a51-9d3e-4b8a-b6de-3c1f5a20e9d4', ...rest },
    header: {},
  });
  const success = (data: unknown) => envelope(200, { msg: 'ok', data });
  const profile = (): Profile => ({
    user_id: '2b9f6c1e-5a7d-4f30-8c42-91e0d7a3b654',
    username: known.username ?? '',
    sex: 0,
    avatar: '',
    phone: known.phone ?? null,
    created_at: '2026-03-14T08:30:00.000Z',
    last_login_at: '2026-05-02T01:12:45.000Z',
  });

  const routes: Record<string, (body: Record<string, string>) => unknown> = {
    'POST /member/login': (): LoginAnswer => {
      const { user_id, username, avatar, sex } = profile();
      return {
        ...{ user_id, username, avatar, sex },
        ...{ is_new: false, token: 'token', token_type: 'Bearer', expires_in: 604_800 },
      };
    },
    'POST /member/logout': () => ({}),
    'GET /member/me': profile,
    'PUT /member/me': ({ nickname = '' }) => {
      known.username = nickname;
      return profile();
    },
    'DELETE /member/me': (): DeletionAnswer =>
      known.closesAt === undefined ? { erased: true } : { closes_at: known.closesAt },
    'POST /member/phone': () => {
      known.phone = '+86 138******00';
      return profile();
    },
    'DELETE /member/phone': () => {
      known.phone = null;
      return profile();
    },
  };

  return {
    asked,
    async answer({ method, url, data }: Sent): Promise<Reply> {
      // Without `URL`: this also runs where screenshots are made.
      const path = url.replace(/^https?:\/\/[^/]+/, '');
      asked.push(`${method} ${path}${data === undefined ? '' : ` ${data}`}`);
      const refusal = known.refuse?.[path];
      if (refusal !== undefined) return envelope(refusal[0], { error: refusal[1], msg: refusal[2] });
      if (path === '/orders') {
        if (known.isSlow) return new Promise(() => undefined);
        return {
          statusCode: 200,
          data: { user_id: profile().user_id, orders: known.orders ?? [] },
          header: {},
        };
      }
      const route = routes[`${method} ${path}`];
      return route === undefined
        ? envelope(404, { error: 'not_found', msg: '接口不存在' })
        : success(route(JSON.parse(data ?? '{}')));
    },
  };
}
