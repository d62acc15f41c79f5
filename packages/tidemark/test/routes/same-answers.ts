/** Whether a route with the cache answers as the same route without it, the first time and from the cache. */
import { brotliDecompressSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Adopter } from './adopter.js';

export interface Sent {
  readonly status: number;
  readonly type: unknown;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** As a browser asks. Counts the SELECTs from `table` meanwhile. */
export async function ask(
  { inject, sql }: Adopter,
  url: string,
  headers: Record<string, string> = {},
): Promise<Sent & { selects: number }> {
  const answer = await inject({ url, headers: { 'accept-encoding': 'br', ...headers } });
  const { 'content-encoding': coding, 'content-type': type } = answer.headers;
  const bytes = coding === 'br' ? brotliDecompressSync(answer.rawPayload) : answer.rawPayload;
  return {
    status: answer.statusCode,
    type,
    body: bytes.toString(),
    headers: answer.headers,
    selects: sql.selectsFrom('profiles').length,
  };
}

/** Requests `/plain` once and `/cached` twice; returns the answer of `/plain`. */
export async function expectSame(adopter: Adopter, path: string): Promise<Sent> {
  const { status, type, body, headers } = await ask(adopter, `/plain/${path}`);
  const same = { status, type, body };
  expect(await ask(adopter, `/cached/${path}`)).toMatchObject({ ...same, selects: 1 });
  expect(await ask(adopter, `/cached/${path}`)).toMatchObject({ ...same, selects: 0 });
  return { ...same, headers };
}
