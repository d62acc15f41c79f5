/** Modules of the built service, which this folder uses as they are deployed. */
const FOLDER = new URL('../../../dist/', import.meta.url);

/** @param path below dist/. `Module` is the type of the source that it was compiled from. */
export async function builtModule<Module>(path: string): Promise<Module> {
  return (await import(new URL(path, FOLDER).href)) as Module;
}
