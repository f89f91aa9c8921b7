/** What the stacks of one account share: functions that APIs may invoke, and values in SSM. */
import { LocalRunError } from './errors.ts';
import type { InvokeFunction } from './lambda/invoke.ts';
import { type ApiPermission, mayInvoke, readApiPermissions } from './lambda/invoke-permissions.ts';
import type { LambdaRuntime } from './lambda/runtime.ts';
import type { Resolver } from './template/intrinsics.ts';

/** The account of the stacks that run beside each other. */
export interface LocalAccount {
  /** Invokes a function of any of the stacks, if a permission of any of them allows it. */
  readonly invoke: InvokeFunction;
  /** The value of an SSM parameter that one of the stacks has written; undefined when none has. */
  ssmValue(name: string): string | undefined;
  /**
   * Adds a stack.
   *
   * @returns removes it again
   * @throws LocalRunError when there is a stack of this name already, or it uses what is not known
   */
  add(resolver: Resolver, runtime: LambdaRuntime): () => void;
}

interface AddedStack {
  readonly name: string;
  readonly runtime: LambdaRuntime;
  readonly permissions: readonly ApiPermission[];
  readonly parameters: ReadonlyMap<string, string>;
}

/** An account without stacks. */
export function createAccount(): LocalAccount {
  const stacks = new Set<AddedStack>();
  return {
    invoke: async (functionArn, event, sourceArn) => {
      const permissions = [...stacks].flatMap((stack) => stack.permissions);
      const owner = [...stacks].find(({ runtime }) => runtime.has(functionArn));
      if (owner === undefined) throw new LocalRunError(`No stack has a function ${functionArn}.`);
      if (!mayInvoke(permissions, functionArn, sourceArn))
        throw new LocalRunError(
          `No AWS::Lambda::Permission lets apigateway.amazonaws.com invoke ${functionArn} for ${sourceArn}.`,
        );
      return owner.runtime.invoke(functionArn, event);
    },
    ssmValue: (name) =>
      [...stacks].map(({ parameters }) => parameters.get(name)).find((value) => value !== undefined),
    add: (resolver, runtime) => {
      const name = resolver.template.stackName;
      if ([...stacks].some((stack) => stack.name === name))
        throw new LocalRunError(`There is a stack named ${name} in this account already.`);
      const stack = {
        name,
        runtime,
        permissions: readApiPermissions(resolver),
        parameters: new Map(
          resolver
            .resourcesOf('AWS::SSM::Parameter')
            .map(({ logicalId, properties }) => [
              String(resolver.names(logicalId).ref),
              String(properties.Value),
            ]),
        ),
      };
      stacks.add(stack);
      return () => stacks.delete(stack);
    },
  };
}
