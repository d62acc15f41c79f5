/** Objects that are their fields and nothing else, so that these tell them apart. */
import { isProxy } from 'node:util/types';
import { hasPrivateNames } from './private-names.js';

/** Whether classes keep nothing to themselves, as far as their texts tell, which never change. */
const OPEN_CLASSES = new WeakMap<object, boolean>();

/** Whether it is an object of no class: whatever makes it, nothing but its fields is in it. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  const isOrdinary = prototype === Object.prototype || prototype === null || isBlank(prototype);
  return isOrdinary && !isProxy(value);
}

/**
 * Whether it is an instance of classes that add nothing to its fields: no methods, no accessors, no private
 * names. An accessor may tell of anything, such as of a map that only its class knows of.
 */
export function isRecord(value: object): boolean {
  let level = Object.getPrototypeOf(value) as object | null;
  while (level !== null && level !== Object.prototype) {
    if (!isBare(level)) return false;
    level = Object.getPrototypeOf(level) as object | null;
  }
  return level !== null && !isProxy(value);
}

/** Whether it has fields that are not among its enumerable ones with a name. */
export function hidesFields(value: object): boolean {
  // `Reflect.ownKeys` takes twice as long.
  return (
    Object.getOwnPropertyNames(value).length !== Object.keys(value).length ||
    Object.getOwnPropertySymbols(value).length > 0
  );
}

/** As parsers of query strings make the prototype of objects in which no name means anything. */
function isBlank(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Reflect.ownKeys(prototype).length === 0;
}

/** Whether it is the prototype of a class as its author wrote it, which has nothing in it. */
function isBare(prototype: object): boolean {
  if (Reflect.ownKeys(prototype).length !== 1) return false;
  const made: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof made !== 'function' || made.prototype !== prototype) return false;
  let isOpen = OPEN_CLASSES.get(made);
  if (isOpen === undefined) {
    const classText = Function.prototype.toString.call(made);
    isOpen = !hasPrivateNames(classText) && !classText.includes('[native code]');
    OPEN_CLASSES.set(made, isOpen);
  }
  return isOpen;
}
