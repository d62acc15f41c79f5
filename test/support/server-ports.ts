/**
 * Replaces ports of 127.0.0.1 in the replies of a Redis or a Sentinel, so that a client reaches the servers that they
 * name by proxies. Both ports have five digits: no length in a reply changes.
 */

const HOST = '127.0.0.1';
/** Between host and port: in text, in CLUSTER SLOTS, and in lists of Sentinels. */
const SEPARATORS = [':', ' ', '\r\n:', '\r\n$5\r\n'];
const DIGITS = 5;

const escaped = (text: string): string[] =>
  [...text].map((one) => (/\w|\s/.test(one) ? one : `\\${one}`));
/** Its first part, its first two parts, and so on. */
const anyBeginning = (parts: readonly string[]): string =>
  parts.reduceRight((rest, part) => `${part}(?:${rest})?`, '');

const ADDRESS = new RegExp(
  `(${escaped(HOST).join('')}(?:${SEPARATORS.map((one) => escaped(one).join('')).join('|')}))(\\d{${DIGITS}})`,
  'g',
);
const BEGUN_ADDRESS = new RegExp(
  `(?:${SEPARATORS.map((one) =>
    anyBeginning([...escaped(HOST + one), ...Array<string>(DIGITS - 1).fill('\\d')]),
  ).join('|')})$`,
);

/** The ports by which a client reaches servers, by the ports at which these listen. */
export type ServerPorts = ReadonlyMap<number, number>;

/** One stream of replies. */
export class ReplyRewriter {
  #begun = '';

  constructor(private readonly ports: ServerPorts) {}

  /** The chunk with other ports; an address that is not complete follows with the next chunk. */
  rewrite(chunk: Buffer): Buffer {
    if (this.ports.size === 0) return chunk;
    const text = this.#begun + chunk.toString('latin1');
    const rewritten = text.replace(ADDRESS, (_, host: string, port: string) => {
      return host + String(this.ports.get(Number(port)) ?? port);
    });
    this.#begun = BEGUN_ADDRESS.exec(rewritten)?.[0] ?? '';
    return Buffer.from(rewritten.slice(0, rewritten.length - this.#begun.length), 'latin1');
  }
}
