/** Measures the warm service through its gateway: logins, a protected route, and the floor that both stand on. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Load, LoadRequest, LoadResult } from './load.ts';
import { compare, type Measurement } from './measurement.ts';
import { type NextCode, newOpenid, wxLogin } from './wx-login.ts';

/** The service to measure. */
export interface Target {
  /** Its base URL. */
  readonly url: string;
  /** Base URL of the WeChat simulator it calls. */
  readonly simulatorUrl: string;
  /** How long the simulator takes to respond, milliseconds: for the rows' names. */
  readonly wechatDelayMs: number;
}

/** How much is measured. */
export interface GatewayCounts {
  /** Requests at once; each is a part of the report. */
  readonly concurrencies: readonly number[];
  /** Each row's requests come in this many slices, in turn with the other rows'. */
  readonly slices: number;
  readonly requestsPerSlice: number;
}

interface Scenario {
  readonly row: string;
  readonly nextRequest: () => LoadRequest | Promise<LoadRequest>;
}

/** Measures; the floor is `GET /health`: gateway, function and one database read, without an authorizer. */
export async function measureGateway(target: Target, counts: GatewayCounts): Promise<readonly Measurement[]> {
  const generator = new Worker(new URL('./load.ts', import.meta.url));
  try {
    const scenarios = await createScenarios(target);
    const measurements: Measurement[] = [];
    for (const concurrency of counts.concurrencies) {
      const part = `gateway, WeChat ${target.wechatDelayMs} ms, ${concurrency} at once`;
      measurements.push(...(await measureScenarios(part, scenarios, concurrency, counts, generator)));
    }
    return measurements;
  } finally {
    await generator.terminate();
  }
}

async function measureScenarios(
  part: string,
  scenarios: readonly Scenario[],
  concurrency: number,
  { slices, requestsPerSlice }: GatewayCounts,
  generator: Worker,
): Promise<readonly Measurement[]> {
  const send = async ({ nextRequest }: Scenario, count: number): Promise<LoadResult> => {
    const requests = await Promise.all(Array.from({ length: count }, nextRequest));
    generator.postMessage({ requests, concurrency } satisfies Load);
    const [result] = (await once(generator, 'message')) as [LoadResult];
    return result;
  };
  const series = scenarios.map((scenario) => ({ scenario, durations: [] as number[], elapsedMs: 0 }));
  // So many at once start that many copies of each function, and each answers a few times unmeasured.
  for (const scenario of scenarios) await send(scenario, concurrency * 4);
  for (let slice = 0; slice < slices; slice++) {
    for (const each of series) {
      const { durations, elapsedMs } = await send(each.scenario, requestsPerSlice);
      each.durations.push(...durations);
      each.elapsedMs += elapsedMs;
    }
  }
  return compare(
    part,
    series.map(({ scenario: { row }, ...measured }) => ({ row, ...measured })),
  );
}

async function createScenarios({ url, simulatorUrl }: Target): Promise<readonly Scenario[]> {
  const logIn = async (nextCode: NextCode): Promise<LoadRequest> => ({
    method: 'POST',
    url: `${url}/member/login`,
    body: JSON.stringify({ code: await nextCode() }),
  });
  const returningUser: NextCode = wxLogin(simulatorUrl, newOpenid());
  const newUser: NextCode = () => wxLogin(simulatorUrl, newOpenid())();
  const first = await logIn(returningUser);
  const response = await fetch(first.url, {
    method: first.method,
    headers: { 'content-type': 'application/json' },
    body: first.body ?? '',
  });
  if (!response.ok) throw new Error(`The first login answered ${response.status}`);
  const { data } = (await response.json()) as { data: { token: string } };
  return [
    { row: 'GET /health', nextRequest: () => ({ method: 'GET', url: `${url}/health` }) },
    {
      row: 'GET /member/me',
      nextRequest: () => ({ method: 'GET', url: `${url}/member/me`, token: data.token }),
    },
    { row: 'POST /member/login, returning user', nextRequest: () => logIn(returningUser) },
    { row: 'POST /member/login, new user', nextRequest: () => logIn(newUser) },
  ];
}
