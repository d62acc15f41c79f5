import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { applicationVersion } from './application-version.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tidemark-version-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: unknown): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

describe('applicationVersion', () => {
  it('is the version of the package of the main module, whatever the working directory', () => {
    const main = write('app/dist/main.js', '');
    write('app/package.json', { version: '2.1.0' });
    write('elsewhere/package.json', { version: '9.9.9' });
    expect(applicationVersion(main, join(root, 'elsewhere'))).toBe('2.1.0');
  });

  it('skips a package.json without a valid version, and one that cannot be parsed', () => {
    const main = write('app/dist/esm/main.js', '');
    write('app/dist/esm/package.json', { type: 'module', version: 7 });
    write('app/dist/package.json', '{');
    write('app/package.json', { version: '2.1.0' });
    expect(applicationVersion(main, root)).toBe('2.1.0');
  });

  it('follows a link to the program', () => {
    const main = write('app/dist/main.js', '');
    write('app/package.json', { version: '2.1.0' });
    symlinkSync(main, join(root, 'run'));
    write('package.json', { version: '9.9.9' });
    expect(applicationVersion(join(root, 'run'), root)).toBe('2.1.0');
  });

  it.each([
    ['there is none', undefined],
    ['it is outside any package', '/nowhere/main.js'],
  ])('is the version of the working directory if the main module has none: %s', (_why, main) => {
    write('package.json', { version: '3.0.0' });
    expect(applicationVersion(main, join(root, 'data'))).toBe('3.0.0');
  });

  it('is unknown if no package.json has a version', () => {
    expect(applicationVersion('/nowhere/main.js', root)).toBe('unknown');
  });
});
