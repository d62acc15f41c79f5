/** Problem documents (RFC 9457): the form of every error of the page. */
import { STATUS_CODES } from 'node:http';

/** A request that the page refuses. Its message is for the person or the script that has sent it. */
export class PageProblem extends Error {
  override readonly name = 'PageProblem';

  /** @param kind the last part of the document's type, stable for scripts. */
  constructor(
    readonly status: number,
    readonly kind: string,
    detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }
}

/** The document; `path` is the path of the request. */
export function problemDocument({ status, kind, message }: PageProblem, path: string): string {
  return JSON.stringify({
    type: `urn:tidemark:problem:${kind}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    instance: path,
  });
}
