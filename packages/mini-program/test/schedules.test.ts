import { array, assert, asyncProperty, boolean, constantFrom, type Scheduler, scheduler } from 'fast-check';
import { expect, it } from 'vitest';
import { type App, endOf, startApp } from './fixtures/app.ts';
import { bareRefusal, failure } from './fixtures/service.ts';

const DAY = 24 * 3600 * 1000;

/** An app whose platform answers in the order that a scheduler wants. */
interface World extends App {
  readonly schedule: Scheduler;
  /** How everything that was called ended. */
  readonly ends: Promise<string>[];
}

function startWorld(schedule: Scheduler): World {
  const later = (work: () => void, name: string): void => {
    void schedule.schedule(Promise.resolve(), name).then(work);
  };
  return { ...startApp({ later }), schedule, ends: [] };
}

/** What may happen to an app. */
const steps: Readonly<Record<string, (world: World) => unknown>> = {
  request: ({ client, ends }) => ends.push(endOf(client.request({ url: '/orders' }))),
  'request and abort': ({ client, ends, schedule }) => {
    const request = client.request({ url: '/orders' });
    ends.push(endOf(request));
    void schedule.schedule(Promise.resolve(), 'abort').then(() => request.abort());
  },
  'refused route': ({ client, ends }) => ends.push(endOf(client.request({ url: '/admin' }))),
  login: ({ client, ends }) => ends.push(endOf(client.login())),
  'restoring login': ({ client, ends }) => ends.push(endOf(client.login({ restore: true }))),
  'forced login': ({ client, ends }) => ends.push(endOf(client.login({ force: true }))),
  logout: ({ client, ends }) => ends.push(endOf(client.logout())),
  'logout and login': ({ client, ends }) => ends.push(endOf(client.logout()), endOf(client.login())),
  'delete the account': ({ client, ends }) => ends.push(endOf(client.deleteMe())),
  'revoke all': ({ service }) => service.revokeAll(),
  'lose a login': ({ wx }) => wx.lose('/member/login', 'after'),
  'lose a refresh': ({ wx }) => wx.lose('/member/refresh', 'before'),
  'fail a login': ({ service }) =>
    service.routes.set('POST /member/login', () => {
      service.routes.delete('POST /member/login');
      return failure(503, 'wechat_unavailable');
    }),
  'ban a login': ({ service }) =>
    service.routes.set('POST /member/login', () => {
      service.routes.delete('POST /member/login');
      return failure(403, 'user_banned');
    }),
  'half a life later': ({ clock }) => {
    clock.now += 3.6 * DAY;
  },
  'nearly a life later': ({ clock }) => {
    clock.now += 7 * DAY - 30_000;
  },
  'show the app': ({ wx }) => wx.show(),
};

/** Every way in which a call may end when these steps happen. */
const known = [
  'done',
  'aborted',
  'logged_out',
  'user_changed',
  'network',
  'wechat_unavailable',
  'user_banned',
  'unavailable',
  'token_revoked',
  // Both codes of a login were lost, and days passed while one was sent again.
  'code_used',
];

/** How all calls ended, once nothing more can happen to them. */
async function endsWhenIdle({ schedule, ends }: World): Promise<string[]> {
  await schedule.waitIdle();
  const pending = new Promise<string[]>((resolve) => setTimeout(() => resolve(['something is pending'])));
  return Promise.race([Promise.all(ends), pending]);
}

it('in 1,000 random schedules every promise settles, and wx.login is in flight at most once', async () => {
  const met = new Set<string>();
  await assert(
    asyncProperty(
      scheduler(),
      array(constantFrom(...Object.keys(steps)), { minLength: 1, maxLength: 12 }),
      async (schedule, plan) => {
        const world = startWorld(schedule);
        world.service.routes.set('GET /admin', () => bareRefusal(403));
        schedule.scheduleSequence(
          plan.map((label) => ({ label, builder: async () => steps[label]?.(world) })),
        );

        for (const end of await endsWhenIdle(world)) {
          expect(known).toContain(end);
          met.add(end);
        }
        expect(world.wx.state.mostLoginsInFlight).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 1000 },
  );
  expect(met).toContain('done');
  expect(met).toContain('aborted');
  expect(met).toContain('logged_out');
  expect(met).toContain('user_banned');
});

it('in 1,000 random schedules aborting one waiter leaves the login of the others alone', async () => {
  await assert(
    asyncProperty(scheduler(), array(boolean(), { minLength: 2, maxLength: 8 }), async (schedule, aborts) => {
      const world = startWorld(schedule);
      for (const isAborted of aborts) steps[isAborted ? 'request and abort' : 'request']?.(world);

      const ends = await endsWhenIdle(world);

      expect(ends).toHaveLength(aborts.length);
      aborts.forEach((isAborted, index) => {
        if (!isAborted) expect(ends[index]).toBe('done');
      });
      expect(world.wx.state.logins).toBe(1);
    }),
    { numRuns: 1000 },
  );
});
