/** How each emulated service listens on this machine, and ends. */
import type { Server } from 'node:http';
import { type AddressInfo, createServer, type Server as SocketServer } from 'node:net';

/** A server that listens. */
interface LoopbackServer {
  readonly port: number;
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  /** Stops listening and cuts open connections. */
  close(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
const EVERY_ADDRESS = '0.0.0.0';

/**
 * Makes a server listen on 127.0.0.1.
 *
 * @param port 0 picks a free one
 * @param host a further address to listen at; `0.0.0.0` is every one
 * @throws Error of the socket, such as `EADDRINUSE`
 */
export async function listenOnLoopback(server: Server, port = 0, host = LOOPBACK): Promise<LoopbackServer> {
  // Clients end idle connections: were it done here, a client on a busy machine would send into one that has just ended.
  server.keepAliveTimeout = 0;
  await bind(server, port, host === EVERY_ADDRESS ? host : LOOPBACK);
  const { port: bound } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      further.close();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  // One server listens once; what comes to the other address is its all the same.
  const further = createServer((socket) => server.emit('connection', socket));
  if (host !== LOOPBACK && host !== EVERY_ADDRESS)
    await bind(further, bound, host).catch(async (error: Error) => {
      await close();
      throw error;
    });
  return { port: bound, url: `http://${LOOPBACK}:${bound}`, close };
}

function bind(server: SocketServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
