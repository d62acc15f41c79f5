/** Modules of the built library and the built service, which this folder uses as they are deployed. */
const ROOT = new URL('../../../', import.meta.url);

/** @param path below the service's dist/. `Module` is the type of the source that it was compiled from. */
export async function builtModule<Module>(path: string): Promise<Module> {
  return (await import(new URL(`dist/${path}`, ROOT).href)) as Module;
}

/** The built library. */
export async function library(): Promise<typeof import('../../../packages/tidemark/src/index.js')> {
  const built: unknown = await import(new URL('packages/tidemark/dist/index.js', ROOT).href);
  return built as typeof import('../../../packages/tidemark/src/index.js');
}
