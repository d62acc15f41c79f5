/** The parts of an answer that the specs check. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The parsed body; `undefined` when it is not JSON. */
  readonly json: unknown;
  /** The outcome that the cache reports: `hit`, `miss`, `bypass`, or nothing. */
  readonly cache: 'hit' | 'miss' | 'bypass' | undefined;
}

export function answerOf(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Answer {
  const isPlainJson =
    body.length > 0 &&
    headers['content-encoding'] === undefined &&
    /[/+]json\b/.test(headers['content-type'] ?? '');
  return {
    status,
    headers,
    body,
    json: isPlainJson ? (JSON.parse(body.toString()) as unknown) : undefined,
    cache: cacheOutcome(headers['cache-status']),
  };
}

function cacheOutcome(header: string | undefined): Answer['cache'] {
  if (header === undefined) return undefined;
  if (header.startsWith('tidemark; hit')) return 'hit';
  if (header.startsWith('tidemark; fwd=miss')) return 'miss';
  if (header.startsWith('tidemark; fwd=bypass')) return 'bypass';
  throw new Error(`Not a Cache-Status of this service: ${header}`);
}
