/** Which permissions a request to DynamoDB needs. */

import type { NeededPermission } from '../iam/access-control.ts';
import { isJsonObject, type Json, type JsonObject, objectOrEmpty, objects } from '../json.ts';
import { arnOf } from '../template/account.ts';
import type { Resolver } from '../template/intrinsics.ts';

/** Partition keys of the template's tables and indexes, by their ARN. */
export type PartitionKeys = ReadonlyMap<string, string>;

/** Each item of a transaction needs the permission of its own action. */
const actionInTransaction: Readonly<Record<string, string>> = {
  ConditionCheck: 'ConditionCheckItem',
  Delete: 'DeleteItem',
  Get: 'GetItem',
  Put: 'PutItem',
  Update: 'UpdateItem',
};

/** Reads the partition keys out of a template. */
export function readPartitionKeys(resolver: Resolver): PartitionKeys {
  return new Map(
    resolver.resourcesOf('AWS::DynamoDB::GlobalTable').flatMap(({ logicalId, properties }) => {
      const table = tableArn(resolver.names(logicalId).ref);
      const indexes = [properties.GlobalSecondaryIndexes, properties.LocalSecondaryIndexes]
        .flatMap(objects)
        .map((index): [string, string] => [`${table}/index/${index.IndexName}`, hashKeyOf(index)]);
      return [[table, hashKeyOf(properties)] as const, ...indexes];
    }),
  );
}

/**
 * The permissions that a request needs, with the partition keys it names as `dynamodb:LeadingKeys`. An unknown
 * operation needs a permission of its own name on the table it names, which no policy grants by accident.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/api-permissions-reference.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export function permissionsFor(
  operation: string,
  input: JsonObject,
  partitionKeys: PartitionKeys,
): readonly NeededPermission[] {
  const action = `dynamodb:${operation}`;
  const on = (name: string, resource: string, items: readonly JsonObject[]): NeededPermission => {
    const key = partitionKeys.get(resource) ?? '';
    const values = items.flatMap((item) => leadingKey(item[key]));
    return {
      action: `dynamodb:${name}`,
      resource,
      ...(values.length > 0 && { context: { 'dynamodb:LeadingKeys': values } }),
    };
  };
  if (operation === 'TransactWriteItems' || operation === 'TransactGetItems')
    return objects(input.TransactItems)
      .flatMap((item) => Object.entries(item))
      .map(([kind, part]) => {
        const { TableName, Key, Item } = objectOrEmpty(part);
        return on(actionInTransaction[kind] ?? kind, tableArn(TableName), [
          ...objects(Key),
          ...objects(Item),
        ]);
      });
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem')
    return Object.entries(objectOrEmpty(input.RequestItems)).map(([table, part]) => {
      const items =
        operation === 'BatchGetItem'
          ? objects(objectOrEmpty(part).Keys)
          : objects(part).flatMap(({ PutRequest, DeleteRequest }) => [
              ...objects(objectOrEmpty(PutRequest).Item),
              ...objects(objectOrEmpty(DeleteRequest).Key),
            ]);
      return on(operation, tableArn(table), items);
    });
  if (input.TableName === undefined) return [{ action, resource: '*' }];
  const table = tableArn(input.TableName);
  const resource = input.IndexName === undefined ? table : `${table}/index/${input.IndexName}`;
  if (operation === 'Query')
    return [on(operation, resource, [queriedKey(input, partitionKeys.get(resource) ?? '')])];
  return [on(operation, resource, [...objects(input.Key), ...objects(input.Item)])];
}

/** What a query says the partition key equals, shaped like an item. */
function queriedKey(input: JsonObject, key: string): JsonObject {
  const names = objectOrEmpty(input.ExpressionAttributeNames);
  const values = objectOrEmpty(input.ExpressionAttributeValues);
  for (const [, name = '', value = ''] of String(input.KeyConditionExpression ?? '').matchAll(
    /([#\w.-]+)\s*=\s*(:\w+)/g,
  )) {
    const equals = values[value];
    if ((names[name] ?? name) === key && equals !== undefined) return { [key]: equals };
  }
  return {};
}

/** A key's value as IAM compares it. */
function leadingKey(value: Json | undefined): readonly string[] {
  return isJsonObject(value) ? [String(value.S ?? value.N ?? value.B)] : [];
}

function tableArn(name: Json | undefined): string {
  return arnOf('dynamodb', `table/${name}`);
}

function hashKeyOf(shape: JsonObject): string {
  return String(objects(shape.KeySchema).find(({ KeyType }) => KeyType === 'HASH')?.AttributeName ?? '');
}
