/**
 * Lambda's Node.js runtime, in the process of one execution environment: loads the handler and runs one invocation
 * after another. It talks to its parent over IPC and imports nothing of ours, so that a bundle meets no code but its own.
 */
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FromEnvironment, InvokeMessage, LambdaError } from './environment.ts';

type Handler = (event: unknown, context: object) => unknown;

const send = (message: FromEnvironment): void => {
  process.send?.(message);
};

/** How the runtime reports a failed invocation. https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
function toLambdaError(thrown: unknown): LambdaError {
  if (!(thrown instanceof Error))
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
  return { errorType: thrown.name, errorMessage: thrown.message, trace: (thrown.stack ?? '').split('\n') };
}

/** Lambda logs what a handler throws, with every enumerable member of the error. */
function logError(kind: string, thrown: unknown): void {
  const text = JSON.stringify(thrown, (_, value: unknown) =>
    value instanceof Error
      ? { errorType: value.name, errorMessage: value.message, ...value, stack: value.stack?.split('\n') }
      : value,
  );
  process.stderr.write(`ERROR\t${kind}\t${text}\n`);
}

function runtimeError(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

async function loadHandler(): Promise<Handler> {
  const [, module = '', exportName = ''] = /^(.+)\.([^./]+)$/.exec(process.env._HANDLER ?? '') ?? [];
  const file = ['.js', '.mjs', '.cjs']
    .map((extension) => path.join(process.env.LAMBDA_TASK_ROOT ?? '', `${module}${extension}`))
    .find((candidate) => existsSync(candidate));
  if (file === undefined) throw runtimeError('Runtime.ImportModuleError', `Cannot find module '${module}'`);
  const exports = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  const handler = exports[exportName];
  if (typeof handler !== 'function')
    throw runtimeError('Runtime.HandlerNotFound', `${process.env._HANDLER} is undefined or not exported`);
  // Node.js 24 on Lambda has no callback handlers: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
  if (handler.length >= 3)
    throw runtimeError(
      'Runtime.CallbackHandlerDeprecated',
      'Callback handlers are not supported by nodejs24.x',
    );
  return handler as Handler;
}

async function respond(
  handler: Handler,
  { requestId, event, functionArn, deadline }: InvokeMessage,
): Promise<void> {
  const functionName = process.env.AWS_LAMBDA_FUNCTION_NAME ?? '';
  const context = {
    functionName,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: functionArn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    const result = await handler(JSON.parse(event), context);
    send({ type: 'result', payload: JSON.stringify(result === undefined ? null : result) });
  } catch (thrown) {
    logError('Invoke Error', thrown);
    send({ type: 'error', error: toLambdaError(thrown) });
  }
  // Everything written before these marks belongs to this invocation.
  process.stdout.write(`\n\0end ${requestId}\n`);
  process.stderr.write(`\n\0end ${requestId}\n`);
}

process.on('disconnect', () => process.exit(0));

// For the next environment: what is ended by a signal keeps nothing. The function shall not see that there is a cache.
flushCompileCache();
delete process.env.NODE_COMPILE_CACHE;

try {
  const handler = await loadHandler();
  process.on('message', (message: InvokeMessage) => void respond(handler, message));
  send({ type: 'ready' });
} catch (thrown) {
  logError('Init Error', thrown);
  process.send?.({ type: 'init-error', error: toLambdaError(thrown) } satisfies FromEnvironment, () =>
    process.exit(1),
  );
}
