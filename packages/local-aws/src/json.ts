/** JSON values, and the ways this package reads into them: a template, an event and a request body are all JSON. */

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Whether a JSON value is an object, not an array and not null. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An array as it is, one value as a list of one, nothing as an empty list: AWS writes lists in all three ways. */
export function list(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

/** The objects of a {@link list}. */
export function objects(value: Json | undefined): readonly JsonObject[] {
  return list(value).filter(isJsonObject);
}

/** The value itself when it is an object, otherwise an empty one. */
export function objectOrEmpty(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The value at a path of members; undefined when one of them is missing. */
export function memberAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (at, member) => (isJsonObject(at) && Object.hasOwn(at, member) ? at[member] : undefined),
    value,
  );
}
