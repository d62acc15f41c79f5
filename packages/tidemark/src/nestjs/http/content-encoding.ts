export type Encoding = 'br' | 'gzip' | 'identity';

/** Clients send few different values of `Accept-Encoding`. */
const MAX_KNOWN = 64;

const known = new Map<string, Encoding>();

/**
 * The best content coding that `Accept-Encoding` allows (RFC 9110 section 12.5.3); br precedes gzip at equal weight.
 */
export function encodingFor(header: string | string[] | undefined): Encoding {
  if (!header) return 'identity';
  const text = String(header);
  const remembered = known.get(text);
  if (remembered) return remembered;
  const encoding = parse(text);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(text, encoding);
  return encoding;
}

function parse(header: string): Encoding {
  const weights = new Map<string, number>();
  for (const item of header.toLowerCase().replace(/\s/g, '').split(',')) {
    const [coding = '', quality] = item.split(';q=');
    weights.set(coding, quality === undefined ? 1 : Number(quality) || 0);
  }
  const any = weights.get('*') ?? 0;
  const br = weights.get('br') ?? any;
  const gzip = weights.get('gzip') ?? weights.get('x-gzip') ?? any;
  const best = Math.max(br, gzip);
  if (best === 0 || best < (weights.get('identity') ?? 0)) return 'identity';
  return br === best ? 'br' : 'gzip';
}
