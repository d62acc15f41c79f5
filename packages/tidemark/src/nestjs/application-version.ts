/** The version of the application that this process runs, as its package.json names it. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a release may look like. */
export const RELEASE = /^[\w.+:@/-]{1,128}$/;

/** The answer of {@link applicationVersion} where no package.json names a version. */
export const UNKNOWN_VERSION = 'unknown';

/**
 * The `version` of the package.json nearest to the main module, or else to the working directory. A package.json
 * without a version that can be a release, such as builds put beside their output, is passed over.
 *
 * @param main path of the program that Node runs: `npm_package_version` is there under npm alone.
 */
export function applicationVersion(main: string | undefined, directory: string): string {
  const ofProgram = main === undefined ? undefined : versionAbove(realPathOf(main));
  return ofProgram ?? versionAbove(directory) ?? UNKNOWN_VERSION;
}

/** The program may be a link, as those in `node_modules/.bin` are, or a folder, as in `node .`. */
function realPathOf(main: string): string {
  try {
    return realpathSync(main);
  } catch {
    return main;
  }
}

function versionAbove(folder: string): string | undefined {
  const parent = dirname(folder);
  return versionIn(folder) ?? (parent === folder ? undefined : versionAbove(parent));
}

function versionIn(folder: string): string | undefined {
  try {
    const file = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as unknown;
    const version = (file as { readonly version?: unknown } | null)?.version;
    return typeof version === 'string' && RELEASE.test(version) ? version : undefined;
  } catch {
    return undefined;
  }
}
