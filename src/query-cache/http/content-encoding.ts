/** Choosing a content coding by `Accept-Encoding` (RFC 9110 section 12.5.3). */
export type Encoding = 'br' | 'gzip' | 'identity';

const PREFERRED: readonly Encoding[] = ['br', 'gzip'];

/** Headers that are remembered: clients send few. */
const MOST_HEADERS = 100;
const LONGEST_HEADER = 200;

/** Chooses the best coding a client accepts: br before gzip when both have the same weight. */
export class EncodingChoice {
  readonly #known = new Map<string, Encoding>();

  of(header: string | string[] | undefined): Encoding {
    if (!header) return 'identity';
    const text = Array.isArray(header) ? header.join(',') : header;
    const known = this.#known.get(text);
    if (known) return known;
    const choice = choose(weightsOf(text));
    if (this.#known.size < MOST_HEADERS && text.length <= LONGEST_HEADER) {
      this.#known.set(text, choice);
    }
    return choice;
  }
}

function choose(weights: ReadonlyMap<string, number>): Encoding {
  const any = weights.get('*') ?? 0;
  let best: Encoding = 'identity';
  let bestWeight = 0;
  for (const encoding of PREFERRED) {
    const weight = weights.get(encoding) ?? any;
    if (weight > bestWeight) {
      best = encoding;
      bestWeight = weight;
    }
  }
  return bestWeight >= (weights.get('identity') ?? 0) ? best : 'identity';
}

function weightsOf(header: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const item of header.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = item.split(';').map((part) => part.trim());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    weights.set(coding === 'x-gzip' ? 'gzip' : coding, Number.isFinite(weight) ? weight : 0);
  }
  return weights;
}
