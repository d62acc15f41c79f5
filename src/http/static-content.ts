/** Content that does not change while the process runs. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply } from 'fastify';

const compress = promisify(gzip);
/** `gzip` in Accept-Encoding, unless its weight is 0. */
const ACCEPTS_GZIP = /(?:^|[\s,])(?:x-)?gzip\s*(?:$|,|;\s*q\s*=\s*(?:1|0?\.\d*[1-9]))/i;

interface Form {
  readonly bytes: Buffer;
  readonly tag: string;
}

interface Content {
  readonly plain: Form;
  readonly gzip: Form;
}

/**
 * Serves what `load` resolves with at a path. It is read and compressed once, at the first request, and
 * answered with a strong entity tag for each coding.
 */
export function serveContent(
  server: FastifyInstance,
  path: string,
  type: string,
  load: () => string | Promise<Buffer>,
): void {
  let content: Promise<Content> | undefined;
  server.get(path, async (request, reply) => {
    // A failure is not kept: the next request tries again.
    content ??= prepare(load).catch((error: unknown) => {
      content = undefined;
      throw error;
    });
    const { headers } = request;
    const isGzip = ACCEPTS_GZIP.test(headers['accept-encoding'] ?? '');
    const { plain, gzip: compressed } = await content;
    const form = isGzip ? compressed : plain;
    void reply.headers({
      etag: form.tag,
      vary: 'Accept-Encoding',
      'cache-control': 'public, max-age=3600',
    });
    if (names(headers['if-none-match'], form.tag)) return reply.code(304).send();
    return sendForm(reply.type(type), form, isGzip);
  });
}

function sendForm(reply: FastifyReply, form: Form, isGzip: boolean): FastifyReply {
  if (isGzip) void reply.header('content-encoding', 'gzip');
  return reply.send(form.bytes);
}

async function prepare(load: () => string | Promise<Buffer>): Promise<Content> {
  const bytes = Buffer.from(await load());
  return { plain: formOf(bytes), gzip: formOf(await compress(bytes, { level: 9 })) };
}

function formOf(bytes: Buffer): Form {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 24);
  return { bytes, tag: `"${hash}"` };
}

/** Weak comparison (RFC 9110 section 13.1.2). */
function names(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((item) => item.trim().replace(/^W\//, ''));
  return tags.includes(tag) || tags.includes('*');
}
