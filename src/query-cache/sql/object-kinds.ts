/** Of which kind an object is, as far as its fields do not say it. */
import { PRIVATE_NAME } from './entity-classes.js';
import { classTextOf } from './entity-fingerprint.js';

/** No class: the fields are all there is. */
export const PLAIN = '';

const NATIVE = '[native code]';
const KINDS = new WeakMap<object, { readonly kind: string | undefined }>();

/**
 * {@link PLAIN}, or a text for the class whose instance it is; `undefined` where the class may keep more of
 * its instances than their fields, under private names or as an object of the language itself does.
 */
export function kindOf(value: object): string | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype || prototype === null) return PLAIN;
  let known = KINDS.get(prototype);
  if (!known) {
    known = { kind: kindUnder(prototype) };
    KINDS.set(prototype, known);
  }
  return known.kind;
}

/** Whether it has fields that are not among its enumerable ones with a name. */
export function hidesFields(value: object): boolean {
  return Reflect.ownKeys(value).length !== Object.keys(value).length;
}

function kindUnder(prototype: object): string | undefined {
  // As parsers of query strings make objects, so that no name in them means anything.
  if (Object.getPrototypeOf(prototype) === null && Reflect.ownKeys(prototype).length === 0) {
    return PLAIN;
  }
  const isOpen = classesUnder(prototype).every(
    (made) => made !== undefined && !PRIVATE_NAME.test(made) && !made.includes(NATIVE),
  );
  return isOpen ? classTextOf(prototype.constructor) : undefined;
}

/** The classes of the chain as they are written; `undefined` for a prototype that is no class's own. */
function classesUnder(prototype: object): readonly (string | undefined)[] {
  const classes: (string | undefined)[] = [];
  let level: object | null = prototype;
  while (level !== null && level !== Object.prototype) {
    const made: unknown = Object.getOwnPropertyDescriptor(level, 'constructor')?.value;
    const isOwn = typeof made === 'function' && made.prototype === level;
    classes.push(isOwn ? String(made) : undefined);
    level = Object.getPrototypeOf(level) as object | null;
  }
  return classes;
}
