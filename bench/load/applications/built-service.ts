/** Modules of the built service, which this folder uses as they are deployed. */
const FOLDER = new URL('../../../dist/', import.meta.url);

/** @param path below dist/. `Module` is the type of the source that it was compiled from. */
export async function builtModule<Module>(path: string): Promise<Module> {
  return (await import(new URL(path, FOLDER).href)) as Module;
}

/** The built read side. */
export function queryCache(): Promise<typeof import('../../../src/query-cache/index.js')> {
  return builtModule('query-cache/index.js');
}

/** The built write side. */
export function cacheInvalidation(): Promise<
  typeof import('../../../src/cache-invalidation/index.js')
> {
  return builtModule('cache-invalidation/index.js');
}
