/** The functions of a local service, for requests that the bench sends straight to them, with AWS and WeChat as far away as one wants. */
import { createServer, type RequestListener, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { readFunctions } from 'local-aws';
import type { LocalService } from '../../local/service.ts';

/** Milliseconds that DynamoDB and Secrets Manager, and WeChat, are away. */
export interface Distances {
  readonly awsMs?: number;
  readonly wechatMs?: number;
}

/** Reads what starts them; `functionOf` finds one by what its logical id begins with. */
export async function readDistantFunctions(
  service: LocalService,
  { awsMs = 0, wechatMs = 0 }: Distances = {},
) {
  const dynamodb = await startDistant(service.dynamodbEndpoint, awsMs);
  const secretsManager = await startDistant(service.secretsManagerEndpoint, awsMs);
  const wechat = await startDistant(service.simulatorUrl ?? '', wechatMs);
  const functions = readFunctions(service.resolver, {
    dynamodb: dynamodb.url,
    secretsManager: secretsManager.url,
  });
  return {
    functionOf(idPrefix: string) {
      const found = functions.find(({ logicalId }) => logicalId.startsWith(idPrefix));
      if (found === undefined) throw new Error(`The stack has no ${idPrefix}`);
      return { ...found, environment: { ...found.environment, WECHAT_API_BASE: wechat.url } };
    },
    close() {
      for (const distant of [dynamodb, secretsManager, wechat]) distant.close();
    },
  };
}

/** Passes requests on to a service after a while, as if it were that far away. */
async function startDistant(target: string, delayMs: number) {
  if (delayMs === 0) return { url: target, close() {} };
  const { hostname, port } = new URL(target);
  return startLoopback(async (incoming, outgoing) => {
    await pause(delayMs);
    const { method, url, headers } = incoming;
    const onward = request({ hostname, port, method, path: url, headers }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
}

/** A server on a free port of this machine. */
export async function startLoopback(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
