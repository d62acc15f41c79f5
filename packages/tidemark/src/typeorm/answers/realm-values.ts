/**
 * `deserialize` of `node:v8` for other realms. It creates objects in Node's main realm. In a `vm` context, which some
 * test runners use, such objects fail `instanceof Date`, `Map` or `Array`, so libraries would treat stored values
 * differently from values that come from the database.
 */
import { isDate, isMap, isSet } from 'node:util/types';
import { deserialize, serialize } from 'node:v8';

const isMainRealm = Object.getPrototypeOf(deserialize(serialize([]))) === Array.prototype;

export function deserializeInRealm(bytes: Buffer): unknown {
  const value: unknown = deserialize(bytes);
  if (!isMainRealm) adopt(value, new Set());
  return value;
}

function adopt(value: unknown, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (seen.has(value)) return;
  seen.add(value);
  Object.setPrototypeOf(value, prototypeFor(value));
  const isCollection = isMap(value) || isSet(value);
  for (const part of isCollection ? [...value].flat() : Object.values(value)) adopt(part, seen);
}

function prototypeFor(value: object): object {
  if (Array.isArray(value)) return Array.prototype as object;
  if (isDate(value)) return Date.prototype;
  if (isMap(value)) return Map.prototype;
  return isSet(value) ? Set.prototype : Object.prototype;
}
