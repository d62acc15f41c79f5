/** The files that browsers load: scripts/build.mjs makes them from packages/tidemark/page. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { encodingFor, type Encoding } from '../nestjs/http/content-encoding.js';
import { entityTag, matchingTag, tagOf } from '../nestjs/http/entity-tag.js';
import { sendAnswer, type PageReply, type PageRequest } from './http-exchange.js';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** In the package, seen from an ES module, from CommonJS (dist/cjs) and from the sources. */
const FOLDER = fileURLToPath(
  import.meta.url.replace(/\/(dist\/cjs|dist|src)\/page\/[^/]*$/, '/dist/page/assets/'),
);

const COMPRESS: Readonly<Record<Encoding, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes, { level: 9 }),
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
};

export class PageAsset {
  readonly #tag: string;
  readonly #encoded: Partial<Record<Encoding, Buffer>> = {};

  constructor(
    private readonly type: string,
    private readonly bytes: Buffer,
  ) {
    this.#tag = tagOf(bytes);
  }

  /** A browser revalidates it at each load, and downloads it once for each version of the package. */
  send({ headers }: PageRequest, reply: PageReply): void {
    const encoding = encodingFor(headers['accept-encoding']);
    const known = matchingTag(headers['if-none-match'], this.#tag, encoding);
    const own = {
      etag: known ?? entityTag(this.#tag, encoding),
      'cache-control': 'no-cache',
      vary: 'accept-encoding',
    };
    if (known !== undefined) return sendAnswer(reply, { status: 304, headers: own });
    sendAnswer(reply, {
      status: 200,
      headers: {
        ...own,
        'content-type': this.type,
        ...(encoding !== 'identity' && { 'content-encoding': encoding }),
      },
      body: (this.#encoded[encoding] ??= COMPRESS[encoding](this.bytes)),
    });
  }
}

/** By name. None if the package was bundled without them, or runs from its sources and was never built. */
export function readAssets(folder = FOLDER): ReadonlyMap<string, PageAsset> {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return new Map(
    names.flatMap((name): [string, PageAsset][] => {
      const type = TYPES[extname(name)];
      if (type === undefined) return [];
      return [[name, new PageAsset(type, readFileSync(join(folder, name)))]];
    }),
  );
}
