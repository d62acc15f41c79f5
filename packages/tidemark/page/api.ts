/** Requests to the API of the page, which lies beside its script. */

const API = new URL('api/', import.meta.url);

/** The API has refused a request or could not be reached; its message is for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  /** @param status `undefined`: there was no answer. */
  constructor(
    readonly status: number | undefined,
    message: string,
  ) {
    super(message);
  }

  get isSignedOut(): boolean {
    return this.status === 401;
  }
}

/** @param source the data source; `undefined`: the default one. */
export function apiUrl(path: string, source?: string): string {
  const url = new URL(path, API);
  if (source !== undefined) url.searchParams.set('source', source);
  return url.href;
}

/** Rejects with ApiError. */
export async function getJson<T>(path: string, source?: string): Promise<T> {
  const answer = await send(apiUrl(path, source), { headers: { accept: 'application/json' } });
  return (await answer.json()) as T;
}

/** Rejects with ApiError. */
export async function sendJson(
  method: 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  source?: string,
): Promise<void> {
  await send(apiUrl(path, source), {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body ?? {}),
  });
}

async function send(url: string, request: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { ...request, credentials: 'same-origin', cache: 'no-store' });
  } catch {
    throw new ApiError(undefined, 'The service does not answer.');
  }
  if (!answer.ok) throw new ApiError(answer.status, await problemOf(answer));
  return answer;
}

/** The message of a problem document (RFC 9457). */
async function problemOf(answer: Response): Promise<string> {
  const fallback = `The service answered ${answer.status} ${answer.statusText}`.trim();
  try {
    const { title, detail } = (await answer.json()) as { title?: unknown; detail?: unknown };
    if (typeof detail === 'string') return detail;
    return typeof title === 'string' ? title : fallback;
  } catch {
    return fallback;
  }
}

/** What went wrong, for people. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
