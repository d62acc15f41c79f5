/** The version of the application that this process runs, as its package.json names it. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What {@link applicationVersion} answers where no package.json names a version. */
export const UNKNOWN_VERSION = 'unknown';

/**
 * The `version` of the package.json nearest to the main module, or else to the working directory. A package.json
 * without a version, such as builds put beside their output, is passed over.
 *
 * @param main path of the program that Node runs: `npm_package_version` is there under npm alone.
 */
export function applicationVersion(main: string | undefined, directory: string): string {
  return (
    (main === undefined ? undefined : versionAbove(folderOf(main))) ??
    versionAbove(directory) ??
    UNKNOWN_VERSION
  );
}

/** The program may be a link, as those in `node_modules/.bin` are. */
function folderOf(main: string): string {
  try {
    return dirname(realpathSync(main));
  } catch {
    return dirname(main);
  }
}

function versionAbove(start: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    const version = versionIn(folder);
    if (version !== undefined) return version;
    if (folder === dirname(folder)) return undefined;
  }
}

function versionIn(folder: string): string | undefined {
  try {
    const file = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as unknown;
    const version = (file as { readonly version?: unknown } | null)?.version;
    return typeof version === 'string' && version !== '' ? version : undefined;
  } catch {
    return undefined;
  }
}
