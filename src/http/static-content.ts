/** Content that does not change while the process runs. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';

const compress = promisify(gzip);
/** `gzip` in Accept-Encoding, unless its weight is 0. */
const ACCEPTS_GZIP = /(?:^|[\s,])(?:x-)?gzip\s*(?:$|,|;\s*q\s*=\s*(?:1|0?\.\d*[1-9]))/i;

/** Serves content that the first request reads and compresses, with a strong entity tag for each coding. */
export function serveContent(
  server: FastifyInstance,
  path: string,
  type: string,
  load: () => string | Promise<Buffer>,
): void {
  let forms: ReturnType<typeof prepare> | undefined;
  server.get(path, async ({ headers }, reply) => {
    // After a failure the next request tries again.
    forms ??= prepare(load).catch((error: unknown) => {
      forms = undefined;
      throw error;
    });
    const isGzip = ACCEPTS_GZIP.test(headers['accept-encoding'] ?? '');
    const { bytes, tag } = (await forms)[isGzip ? 'gzip' : 'plain'];
    void reply.headers({
      etag: tag,
      vary: 'Accept-Encoding',
      'cache-control': 'public, max-age=3600',
    });
    // Weak comparison (RFC 9110 section 13.1.2).
    const known = (headers['if-none-match'] ?? '').split(',').map((one) => one.trim());
    if ([tag, `W/${tag}`, '*'].some((match) => known.includes(match))) {
      return reply.code(304).send();
    }
    if (isGzip) void reply.header('content-encoding', 'gzip');
    return reply.type(type).send(bytes);
  });
}

async function prepare(load: () => string | Promise<Buffer>) {
  const bytes = Buffer.from(await load());
  return { plain: withTag(bytes), gzip: withTag(await compress(bytes, { level: 9 })) };
}

function withTag(bytes: Buffer) {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 24);
  return { bytes, tag: `"${hash}"` };
}
