/** The versions of Node and TypeORM. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { check, type Check } from './check.js';

const MIN_NODE = [20, 19] as const;

/** @param file the module of the data source: the application's TypeORM is the one that it imports. */
export async function versionChecks(file: string): Promise<readonly Check[]> {
  return [nodeCheck(process.versions.node), typeormCheck(await typeormVersion(file))];
}

export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isEnough = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return isEnough
    ? check('ok', 'node', version)
    : check('FAIL', 'node', `${version} is too old: use ${MIN_NODE.join('.')} or later`);
}

export function typeormCheck(version: string | undefined): Check {
  if (version === undefined) return check('warn', 'typeorm', 'its version was not found');
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number.parseFloat);
  const isSupported = major === 1 || (major === 0 && minor === 3 && patch >= 23);
  return isSupported
    ? check('ok', 'typeorm', version)
    : check('FAIL', 'typeorm', `${version} is not supported: use 0.3.23 or later, or 1.x`);
}

async function typeormVersion(file: string): Promise<string | undefined> {
  try {
    const entry = createRequire(resolve(file)).resolve('typeorm');
    const text = await readFile(join(dirname(entry), 'package.json'), 'utf8');
    return (JSON.parse(text) as { version?: string }).version;
  } catch {
    return undefined;
  }
}
