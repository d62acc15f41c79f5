/** Requests for sessions of the page, and those that it must refuse. */
import { TOKEN } from './page-application.js';

/** What is sent, and the status and type of the answer. */
export const REFUSED_SESSIONS: readonly [string, RequestInit, ...unknown[]][] = [
  [
    'a form',
    {
      body: new URLSearchParams({ token: TOKEN }),
      headers: { 'sec-fetch-site': 'cross-site' },
    },
    403,
    'cross-site',
  ],
  ['another site', json({ token: TOKEN }, { 'sec-fetch-site': 'cross-site' }), 403, 'cross-site'],
  ['a sibling site', json({ token: TOKEN }, { 'sec-fetch-site': 'same-site' }), 403, 'cross-site'],
  [
    'another origin',
    json({ token: TOKEN }, { origin: 'https://elsewhere.example' }),
    403,
    'cross-site',
  ],
  ['a sandboxed frame', json({ token: TOKEN }, { origin: 'null' }), 403, 'cross-site'],
  ['plain text', { body: JSON.stringify({ token: TOKEN }) }, 415, 'not-json'],
  ['a list', json([]), 400, 'invalid-request'],
  ['no token', json({ name: 'x' }), 400, 'invalid-request'],
];

export function json(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
}

export function signIn(token: string, headers?: Record<string, string>): RequestInit {
  return { method: 'POST', ...json({ token }, headers) };
}
