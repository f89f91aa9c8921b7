import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Address, createSocketOpener } from '../../../functions/network/open-socket.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const NEVER = Number.POSITIVE_INFINITY;
const REFUSED = -1;

const ipv4 = (last: number): Address => ({ address: `192.0.2.${last}`, family: 4 });
const ipv6 = (last: number): Address => ({ address: `2001:db8::${last}`, family: 6 });

/** A network in which each address connects after its own time, by a clock that only this test moves. */
function networkOf(addresses: readonly (readonly [Address, handshakeMs: number])[]) {
  const dialled: { address: string; socket: Socket; at: number }[] = [];
  const startedAt = Date.now();
  const network = {
    resolve: async () => addresses.map(([address]) => address),
    dial: (address: string) => {
      const socket = new Socket();
      dialled.push({ address, socket, at: Date.now() - startedAt });
      const ms = addresses.find(([known]) => known.address === address)?.[1] ?? NEVER;
      if (ms === REFUSED)
        queueMicrotask(() => socket.destroy(Object.assign(new Error(), { code: 'ECONNREFUSED' })));
      else if (ms !== NEVER) setTimeout(() => socket.destroyed || socket.emit('connect'), ms);
      return socket;
    },
  };
  return { network, dialled };
}

/** Opens a socket and says which address it belongs to, after how long, and what became of the other attempts. */
async function open(
  addresses: readonly (readonly [Address, handshakeMs: number])[],
  signal = new AbortController().signal,
) {
  const { network, dialled } = networkOf(addresses);
  const startedAt = Date.now();
  const opening = createSocketOpener(
    new URL('http://wechat.test'),
    network,
  )(signal).then(
    (socket) => ({ socket, error: undefined, ms: Date.now() - startedAt }),
    (error: unknown) => ({ socket: undefined, error, ms: Date.now() - startedAt }),
  );
  await vi.advanceTimersByTimeAsync(5_000);
  const { socket, error, ms } = await opening;
  const winner = dialled.find((attempt) => attempt.socket === socket)?.address;
  return { winner, error, ms, dialled };
}

describe('a host with several addresses', () => {
  const matrix = [1, 2, 4, 6].flatMap((count) =>
    [20, 140, 280, 600].flatMap((handshakeMs) =>
      [0, 1, 2].filter((dead) => dead < count).map((dead) => ({ count, handshakeMs, dead })),
    ),
  );

  it.each(matrix)(
    'connects to a host with $count addresses, $handshakeMs ms away, the first $dead dead',
    async ({ count, handshakeMs, dead }) => {
      const addresses = Array.from(
        { length: count },
        (_, index) => [ipv4(index), index < dead ? NEVER : handshakeMs] as const,
      );

      const { winner, ms } = await open(addresses);

      expect(winner).toBe(ipv4(dead).address);
      expect(ms).toBe(dead * 200 + handshakeMs);
    },
  );

  it('connects by IPv4 when the IPv6 addresses of a host come first and are dead', async () => {
    const { winner, ms } = await open([
      [ipv6(1), NEVER],
      [ipv6(2), NEVER],
      [ipv6(3), NEVER],
      [ipv4(1), 280],
      [ipv4(2), 280],
    ]);

    expect({ winner, ms }).toEqual({ winner: ipv4(1).address, ms: 480 });
  });

  it('tries one address of a host alone while that one connects quickly', async () => {
    const { dialled } = await open([
      [ipv4(1), 20],
      [ipv4(2), 20],
    ]);

    expect(dialled.map(({ address }) => address)).toEqual([ipv4(1).address]);
  });

  it('tries the next address of a host at once when one refuses', async () => {
    const { winner, ms } = await open([
      [ipv4(1), REFUSED],
      [ipv4(2), REFUSED],
      [ipv4(3), 20],
    ]);

    expect({ winner, ms }).toEqual({ winner: ipv4(3).address, ms: 20 });
  });

  it('keeps the connection to a host that is there first, and ends all other attempts', async () => {
    const { winner, dialled } = await open([
      [ipv4(1), 600],
      [ipv4(2), 250],
      [ipv4(3), 600],
    ]);

    expect(winner).toBe(ipv4(2).address);
    expect(dialled.map(({ address, at, socket }) => [address, at, socket.destroyed])).toEqual([
      [ipv4(1).address, 0, true],
      [ipv4(2).address, 200, false],
      [ipv4(3).address, 400, true],
    ]);
  });

  it('fails with the reason of the last address when all addresses of a host refuse', async () => {
    const { error } = await open([
      [ipv4(1), REFUSED],
      [ipv4(2), REFUSED],
    ]);

    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('fails after 1.2 seconds when no address of a host answers, and leaves nothing open', async () => {
    const { error, ms, dialled } = await open([1, 2, 3].map((last) => [ipv4(last), NEVER] as const));

    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
    expect(ms).toBe(1_200);
    expect(dialled.map(({ socket }) => socket.destroyed)).toEqual([true, true, true]);
  });

  it('fails when the name of a host has no address', async () => {
    const { error } = await open([]);

    expect(error).toBeInstanceOf(Error);
  });
});

describe('a caller who does not wait any longer', () => {
  it('leaves no attempt behind, and starts none, for a caller who does not wait any longer', async () => {
    const caller = new AbortController();
    setTimeout(() => caller.abort(), 300);

    const { error, ms, dialled } = await open(
      [1, 2, 3].map((last) => [ipv4(last), NEVER] as const),
      caller.signal,
    );

    expect(error).toBe(caller.signal.reason);
    expect(ms).toBe(300);
    expect(dialled.map(({ socket }) => socket.destroyed)).toEqual([true, true]);
  });

  it('lets a caller go although the name of the host is still being looked up', async () => {
    const caller = new AbortController();
    const network = { resolve: () => new Promise<never>(() => {}), dial: () => new Socket() };
    const opening = createSocketOpener(new URL('http://wechat.test'), network)(caller.signal);

    caller.abort();

    await expect(opening).rejects.toBe(caller.signal.reason);
  });
});
