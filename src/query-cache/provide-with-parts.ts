import type { Abstract, FactoryProvider, Type } from '@nestjs/common';

/** A provider of a class whose constructor takes named parts, from the tokens under which Nest has them. */
export function provideWithParts<T, P extends object>(
  made: new (parts: P) => T,
  tokens: { readonly [K in keyof P]: Type<P[K]> | Abstract<P[K]> | symbol },
): FactoryProvider<T> {
  const names = Object.keys(tokens);
  return {
    provide: made,
    inject: Object.values(tokens),
    useFactory: (...parts: unknown[]) =>
      new made(Object.fromEntries(names.map((name, index) => [name, parts[index]])) as P),
  };
}
