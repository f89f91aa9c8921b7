/** A proxy that checks IAM before DynamoDB. */

import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { type AccessControl, accessKeyIdOf } from '../iam/access-control.ts';
import { isJsonObject, type Json } from '../json.ts';
import { listenOnLoopback } from '../loopback-server.ts';
import { type PartitionKeys, permissionsFor } from './permissions.ts';

interface DynamodbGateOptions {
  /** Base URL of the DynamoDB behind it. */
  readonly database: string;
  readonly access: AccessControl;
  readonly partitionKeys: PartitionKeys;
}

interface DynamodbGate {
  /** For `AWS_ENDPOINT_URL_DYNAMODB`. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Opens the gate on a free port of 127.0.0.1. */
export async function startDynamodbGate(options: DynamodbGateOptions): Promise<DynamodbGate> {
  const { access, partitionKeys } = options;
  const database = new URL(options.database);
  const [send, agent] =
    database.protocol === 'https:'
      ? [httpsRequest, new TlsAgent({ keepAlive: true })]
      : [httpRequest, new Agent({ keepAlive: true })];

  const refusalOf = async ({ headers }: IncomingMessage, body: Buffer): Promise<object | undefined> => {
    const caller = accessKeyIdOf(headers.authorization);
    if (!access.isChecked(caller)) return undefined;
    const operation = String(headers['x-amz-target']).replace(/^DynamoDB_20120810\./, '');
    const input = parse(body);
    if (input === undefined || !isJsonObject(input))
      return { __type: 'com.amazon.coral.service#SerializationException' };
    const refusal = await access.refusal(caller, permissionsFor(operation, input, partitionKeys));
    if (refusal === undefined) return undefined;
    return { __type: 'com.amazon.coral.service#AccessDeniedException', Message: refusal };
  };

  const respond = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await buffer(incoming);
    const refusal = await refusalOf(incoming, body);
    if (refusal !== undefined) {
      outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(refusal));
      return;
    }
    const { method, headers, url = '/' } = incoming;
    const passedOn = send(new URL(url, database), { method, headers, agent }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    // When one side ends the connection, so does the other, as without this proxy.
    outgoing.on('close', () => passedOn.destroy());
    passedOn.on('error', () => outgoing.destroy()).end(body);
  };

  const server = createServer((incoming, outgoing) => {
    respond(incoming, outgoing).catch(() => outgoing.destroy());
  });
  const { url, close } = await listenOnLoopback(server);
  return {
    endpoint: url,
    close: () => {
      agent.destroy();
      return close();
    },
  };
}

function parse(body: Buffer): Json | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as Json;
  } catch {
    return undefined;
  }
}
