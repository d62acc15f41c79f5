/**
 * Adds `cjs/` to a built ES module: the same files as CommonJS, with their types. It is for programs that know only
 * the condition `require` of a package, such as jest; Node itself loads the ES module for `require()` too.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

const OPTIONS = {
  module: ts.ModuleKind.CommonJS,
  target: ts.ScriptTarget.ES2023,
  esModuleInterop: true,
};

/** The URL of a CommonJS file. */
const FILE_URL = "require('node:url').pathToFileURL(__filename).href";

export function addCommonJs(dist) {
  const folder = join(dist, 'cjs');
  const files = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)));
  for (const name of files) {
    const [from, to] = [join(dist, name), join(folder, name)];
    mkdirSync(dirname(to), { recursive: true });
    if (name.endsWith('.d.ts')) copyFileSync(from, to);
    if (name.endsWith('.js')) writeFileSync(to, commonJsOf(readFileSync(from, 'utf8')));
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs", "sideEffects": false }\n');
}

function commonJsOf(code) {
  const { outputText } = ts.transpileModule(code, { compilerOptions: OPTIONS });
  // The compiler leaves it as it is.
  return outputText.replaceAll('import.meta.url', FILE_URL);
}
