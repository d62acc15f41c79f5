/** The version of this application, from its package.json. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The allowed form of a release. */
export const RELEASE = /^[\w.+:@/-]{1,128}$/;

/** The result of {@link applicationVersion} if no package.json has a version. */
export const UNKNOWN_VERSION = 'unknown';

/**
 * The `version` of the package.json nearest to the main module, otherwise of the one nearest to the working directory.
 * A package.json without a version that can be a release is skipped, such as those that builds put beside their output.
 *
 * @param main path of the program that Node runs: `npm_package_version` is only set by npm.
 */
export function applicationVersion(main: string | undefined, directory: string): string {
  const ofProgram = main === undefined ? undefined : versionAbove(realPathOf(main));
  return ofProgram ?? versionAbove(directory) ?? UNKNOWN_VERSION;
}

/** The program may be a link, as in `node_modules/.bin`, or a folder, as in `node .`. */
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
