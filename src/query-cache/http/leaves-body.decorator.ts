const LEAVES_BODY = Symbol('tidemark:leaves-body');

/**
 * On the class of an interceptor that neither reads, changes nor replaces what `next.handle()` emits, and does
 * not fail after it, such as one that measures time. Routes with no other interceptors are answered with stored
 * bytes; interceptors without this decorator get values, which are encoded for each request.
 */
export function LeavesBody(): ClassDecorator {
  return (target) => Reflect.defineMetadata(LEAVES_BODY, true, target);
}

/** A subclass may do something else than its base class, so it needs a decorator itself. */
export function isLeavingBody(interceptor: Function): boolean {
  return Reflect.hasOwnMetadata(LEAVES_BODY, interceptor);
}
