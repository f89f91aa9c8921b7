/** Stage variables of an API: what it tells its authorizer, whatever a client sends. */
import { Aspects, Stack } from 'aws-cdk-lib';
import { CfnStage as CfnRestStage, type IRestApi } from 'aws-cdk-lib/aws-apigateway';
import { CfnStage, type IHttpApi, type IWebSocketApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { IConstruct } from 'constructs';

/** An API whose stages can have variables. */
export type StagedApi = IRestApi | IHttpApi | IWebSocketApi;

/** By API and name, the value that all of its stages get. */
const values = new WeakMap<StagedApi, Map<string, string>>();

/**
 * Sets a variable on all stages that an API has in its stack, those of later lines too.
 *
 * @throws Error when the API has another value already, and at synthesis when no stage of it is in its stack
 */
export function setStageVariable(api: StagedApi, name: string, value: string): void {
  const ofApi = values.get(api) ?? new Map<string, string>();
  const before = ofApi.get(name);
  if (before === value) return;
  if (before !== undefined)
    throw new Error(
      `${api.node.path}: ${name} is '${before}' and cannot be '${value}' as well: it counts for all routes of an API`,
    );
  values.set(api, ofApi.set(name, value));

  const stack = Stack.of(api);
  const idOf = (id: unknown) => JSON.stringify(stack.resolve(id));
  const apiId = 'restApiId' in api ? api.restApiId : api.apiId;
  let found = false;
  Aspects.of(stack).add({
    visit(node: IConstruct) {
      const isRest = node instanceof CfnRestStage;
      if (!isRest && !(node instanceof CfnStage)) return;
      if (idOf(isRest ? node.restApiId : node.apiId) !== idOf(apiId)) return;
      node.addPropertyOverride(`${isRest ? 'Variables' : 'StageVariables'}.${name}`, value);
      found = true;
    },
  });
  api.node.addValidation({
    validate: () =>
      found
        ? []
        : [`no stage of this API is in ${stack.node.path}, so its stage variable ${name} cannot be set`],
  });
}
