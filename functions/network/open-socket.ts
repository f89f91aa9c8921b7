/**
 * Opens a connection to a host that may have several addresses, some of them dead or far away (RFC 8305): the next
 * address is tried soon after the one before, all go on trying, and the first that connects is taken.
 *
 * Node's own way allows each address 250 ms and abandons all but the last, so over a long distance it abandons
 * addresses that were about to connect.
 */
import { lookup } from 'node:dns/promises';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** One address of a host. */
export interface Address {
  readonly address: string;
  readonly family: number;
}

/** What {@link createSocketOpener} reaches the network through. */
export interface Network {
  /** All addresses of a name, the preferred ones first. */
  readonly resolve: (hostname: string) => Promise<readonly Address[]>;
  /** Begins to connect to one address. */
  readonly dial: (address: string, port: number) => Socket;
}

const realNetwork: Network = {
  resolve: (hostname) => lookup(hostname, { all: true }),
  dial: (address, port) => connect(port, address),
};

/** Pause before the next address is tried beside those before; RFC 8305 (5) allows 100 ms to 2 s. */
const NEXT_ADDRESS_AFTER_MS = 200;

/** Until one address must have connected: two dead ones, then one that takes 600 ms, and some time to spare. */
const TCP_TIMEOUT_MS = 1_200;

/** Opens a socket that can be written on; rejects, and leaves nothing open, when the signal aborts. */
export type SocketOpener = (signal: AbortSignal) => Promise<Socket>;

/** Creates a {@link SocketOpener} for an http or https URL. Under TLS, later sockets resume the session of earlier ones. */
export function createSocketOpener(url: URL, network: Network = realNetwork): SocketOpener {
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  const port = Number(url.port) || (secure ? 443 : 80);
  let session: Buffer | undefined;

  const secured = (socket: Socket, signal: AbortSignal): Promise<Socket> =>
    new Promise((resolve, reject) => {
      const tls = connectTls({
        socket,
        host: hostname,
        ...(isIP(hostname) === 0 && { servername: hostname }),
        ...(session !== undefined && { session }),
        ALPNProtocols: ['http/1.1'],
      });
      const onAbort = (): void => void tls.destroy(new Error('no TLS in time'));
      signal.addEventListener('abort', onAbort);
      // Node gives it away once the certificate was checked, whose name it does not check again in a resumed session.
      tls.on('session', (ticket) => {
        session = ticket;
      });
      tls.on('error', reject);
      tls.once('close', () => signal.removeEventListener('abort', onAbort));
      tls.once('secureConnect', () => {
        signal.removeEventListener('abort', onAbort);
        resolve(tls);
      });
    });

  return async (signal) => {
    const addresses = await beforeAbort(network.resolve(hostname), signal);
    const socket = await firstToConnect(
      takingTurns(addresses),
      (address) => network.dial(address, port),
      signal,
    );
    socket.setNoDelay(true);
    return secure ? secured(socket, signal) : socket;
  };
}

/** A name's look-up cannot be stopped, but need not be waited for. */
function beforeAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}

/** IPv6 and IPv4 by turns: where one of them leads nowhere, the other comes second and not last. */
function takingTurns(addresses: readonly Address[]): string[] {
  const preferred = addresses.filter(({ family }) => family === addresses[0]?.family);
  const others = addresses.filter(({ family }) => family !== addresses[0]?.family);
  return [
    ...preferred.flatMap((address, index) => [address, ...others.slice(index, index + 1)]),
    ...others.slice(preferred.length),
  ].map(({ address }) => address);
}

function firstToConnect(
  addresses: readonly string[],
  dial: (address: string) => Socket,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const untried = [...addresses];
    const trying = new Set<Socket>();
    let next: NodeJS.Timeout | undefined;

    const settle = (winner?: Socket): void => {
      clearTimeout(limit);
      clearTimeout(next);
      signal.removeEventListener('abort', onAbort);
      untried.length = 0;
      for (const socket of trying) if (socket !== winner) socket.destroy();
    };
    const fail = (error: unknown): void => {
      settle();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    const tryNext = (): void => {
      clearTimeout(next);
      const address = untried.shift();
      if (address === undefined) return;
      next = setTimeout(tryNext, NEXT_ADDRESS_AFTER_MS);
      const socket = dial(address);
      trying.add(socket);
      socket.once('connect', () => {
        settle(socket);
        resolve(socket);
      });
      socket.on('error', (error) => {
        trying.delete(socket);
        if (untried.length === 0 && trying.size === 0) fail(error);
        else tryNext();
      });
    };

    const limit = setTimeout(
      () => fail(Object.assign(new Error('no address connects'), { code: 'ETIMEDOUT' })),
      TCP_TIMEOUT_MS,
    );
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else if (untried.length === 0) fail(new Error('no address'));
    else tryNext();
  });
}
