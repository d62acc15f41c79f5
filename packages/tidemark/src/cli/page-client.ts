/** Sends requests to the API of the page (page/page-api.ts), for the commands. */
import { readFile } from 'node:fs/promises';
import { UsageError, type CommandContext } from './command.js';
import { plain } from './plain-text.js';

export const PAGE_OPTIONS = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  source: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const PAGE_USAGE = `  --url              address of the page, such as http://localhost:3000/tidemark
  --token-file       file with the token of the page; default: the variable TIDEMARK_TOKEN
  --source           name of the data source, if it is not the default one
  --json             print JSON`;

const LIMIT_MS = 15_000;
const MAX_DETAIL = 500;
/** The type of the page's problem documents begins with it. */
const OWN_PROBLEMS = 'urn:tidemark:problem:';

interface PageValues {
  readonly url?: string | undefined;
  readonly 'token-file'?: string | undefined;
  readonly source?: string | undefined;
}

interface Problem {
  readonly type: string;
  readonly detail: string;
}

export class PageClient {
  private constructor(
    private readonly url: URL,
    private readonly token: string,
    private readonly source: string | undefined,
  ) {}

  /** @throws UsageError without an address or a token; rejects if the file of the token cannot be read. */
  static async of(values: PageValues, { env }: CommandContext): Promise<PageClient> {
    const { url: given = '', source } = values;
    const url = URL.canParse(given) ? new URL(given) : undefined;
    if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
      throw new UsageError('--url is no address of a page: write http://host:port/tidemark.');
    }
    const file = values['token-file'];
    const token = (
      file === undefined ? env['TIDEMARK_TOKEN'] : await readFile(file, 'utf8')
    )?.trim();
    if (token === undefined || !/^[\u0021-\u007e]+$/.test(token)) {
      throw new UsageError(
        `${file ?? 'The variable TIDEMARK_TOKEN'} has no token: set TIDEMARK_TOKEN, or give --token-file.`,
      );
    }
    return new PageClient(url, token, source);
  }

  /** The answer of a route. `isOfForm` tells whether it can be the page's. Rejects with an error for people. */
  async get<T>(path: string, isOfForm: (answer: unknown) => answer is T): Promise<T> {
    const response = await this.#send('GET', path);
    const answer: unknown = await response.json().catch(() => undefined);
    if (isOfForm(answer)) return answer;
    throw new Error(this.#noPage());
  }

  /** Rejects with an error for people. */
  async post(path: string, body: unknown): Promise<void> {
    const { status } = await this.#send('POST', path, body);
    if (status !== 204) throw new Error(this.#noPage());
  }

  async #send(method: string, path: string, body?: unknown): Promise<Response> {
    const url = new URL(this.url);
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/${path}`;
    url.search = this.source === undefined ? '' : `?source=${encodeURIComponent(this.source)}`;
    url.hash = '';
    const response = await fetch(url, {
      method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${this.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // Another server must not get the token.
      redirect: 'manual',
      signal: AbortSignal.timeout(LIMIT_MS),
    }).catch((error: unknown) => {
      throw new Error(`${this.url.host} cannot be reached: ${failureOf(error)}.`);
    });
    if (response.ok) return response;
    throw new Error(await this.#refusal(response));
  }

  async #refusal(response: Response): Promise<string> {
    const { status, headers } = response;
    const problem = await problemIn(response);
    if (status >= 300 && status < 400) {
      const target = plain(headers.get('location') ?? 'another address');
      return `${this.#place()} leads to ${target}: give the address of the page itself.`;
    }
    if (!problem?.type.startsWith(OWN_PROBLEMS)) {
      const isGuard = status === 401 || status === 403;
      return isGuard
        ? `${this.#place()} answers ${status}: what stands before the page does not admit the token.`
        : this.#noPage(status);
    }
    const detail = plain(problem.detail).slice(0, MAX_DETAIL);
    return `The page answers ${status}: ${detail}`;
  }

  #noPage(status?: number): string {
    const answered = status === undefined ? '' : ` (it answers ${status})`;
    return `${this.#place()} is no page of Tidemark${answered}: give the address that CachePageModule is mounted at, such as http://localhost:3000/tidemark.`;
  }

  #place(): string {
    return this.url.origin + this.url.pathname;
  }
}

async function problemIn(response: Response): Promise<Problem | undefined> {
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null) return undefined;
  const { type, detail } = body as { readonly type?: unknown; readonly detail?: unknown };
  return typeof type === 'string' && typeof detail === 'string' ? { type, detail } : undefined;
}

function failureOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `it has not answered within ${LIMIT_MS / 1_000} s`;
  }
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const [first] = cause instanceof AggregateError ? (cause.errors as unknown[]) : [cause];
  const { code, message } = (first ?? error) as {
    readonly code?: string;
    readonly message?: string;
  };
  if (code === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED)';
  if (code === 'ENOTFOUND') return 'there is no such host (ENOTFOUND)';
  return plain(message ?? String(error));
}
