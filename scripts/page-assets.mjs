/**
 * Bundles the page of the library (packages/tidemark/page) for browsers: index.html, page.js and page.css, whose names
 * are relative to the page. The licences of what is bundled lie beside the assets.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The packages whose code is in page.js and page.css. */
const BUNDLED = ['preact', 'htm', 'uplot'];

/** The first versions with `light-dark()` in CSS. */
const BROWSERS = ['chrome123', 'edge123', 'firefox120', 'safari17.5'];

/** @param to the folder of the built page; `assets` in it is served. */
export async function buildPage({ sources, to, packages }) {
  const { build } = await import('esbuild');
  const assets = join(to, 'assets');
  mkdirSync(assets, { recursive: true });
  await build({
    entryPoints: [
      { in: join(sources, 'main.ts'), out: 'page' },
      { in: join(sources, 'page.css'), out: 'page' },
    ],
    outdir: assets,
    bundle: true,
    minify: true,
    format: 'esm',
    target: BROWSERS,
    legalComments: 'none',
    logLevel: 'warning',
  });
  copyFileSync(join(sources, 'index.html'), join(assets, 'index.html'));
  const licences = BUNDLED.map((name) => {
    const folder = join(packages, name);
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return `${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8')}`;
  });
  writeFileSync(join(to, 'licences.txt'), licences.join(`\n${'-'.repeat(80)}\n\n`));
}
