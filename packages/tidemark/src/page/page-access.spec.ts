import { describe, expect, it } from 'vitest';
import type { PageRequest } from './http-exchange.js';
import { PageAccess } from './page-access.js';
import type { PageProblem } from './page-problem.js';
import { SESSION_MS } from './session-cookie.js';

const TOKEN = 'a-token-of-more-than-16';
const clock = { at: 1_000_000, nowMs: () => clock.at };

const accessWith = (token: string | undefined, isGuarded = false) => {
  const warnings: string[] = [];
  const access = new PageAccess({
    token,
    isGuarded,
    allowActions: false,
    warn: (line) => warnings.push(line),
    clock,
  });
  return { access, warnings };
};

const requestWith = (headers: PageRequest['headers'], body?: unknown) =>
  ({ headers, body, protocol: 'http', method: 'GET' }) as PageRequest;

const withToken = (token: string) => requestWith({ authorization: `Bearer ${token}` });

function refusalOf(work: () => unknown): Pick<PageProblem, 'status' | 'kind' | 'headers'> {
  try {
    work();
  } catch (error) {
    return error as PageProblem;
  }
  throw new Error('It was admitted.');
}

describe('a session', () => {
  const cookieOf = (access: PageAccess): string =>
    access.signIn(requestWith({}, { token: TOKEN })).split(';')[0] ?? '';

  it('is accepted by another instance with the token until its end', () => {
    const cookie = cookieOf(accessWith(TOKEN).access);
    const { access } = accessWith(TOKEN);
    const endMs = clock.at + SESSION_MS;
    expect(access.requireReader(requestWith({ cookie }))).toBe(endMs);
    clock.at = endMs;
    expect(refusalOf(() => access.requireReader(requestWith({ cookie }))).kind).toBe(
      'token-required',
    );
  });

  it('is refused after the token has changed, or with a later end', () => {
    const { access } = accessWith(TOKEN);
    const cookie = cookieOf(access);
    const later = cookie.replace(/=\w+/, `=${(clock.at + 2 * SESSION_MS).toString(36)}`);
    const refusals = [
      refusalOf(() => accessWith(`${TOKEN}2`).access.requireReader(requestWith({ cookie }))),
      refusalOf(() => access.requireReader(requestWith({ cookie: later }))),
      refusalOf(() => access.requireReader(requestWith({ cookie: 'tidemark-page=z.z' }))),
    ];
    expect(refusals.map(({ kind }) => kind)).toEqual(Array(3).fill('token-required'));
  });
});

describe('wrong tokens', () => {
  it('five within a minute: the next is told how long to wait, and a right one is taken', () => {
    const { access, warnings } = accessWith(TOKEN);
    const wrong = () => refusalOf(() => access.requireReader(withToken('wrong')));
    for (let at = 0; at < 5; at += 1) {
      expect(wrong().status).toBe(401);
      clock.at += 1_000;
    }
    expect(wrong()).toMatchObject({ status: 429, headers: { 'retry-after': '55' } });
    expect(access.requireReader(withToken(TOKEN))).toBeGreaterThan(clock.at);
    expect(warnings).toHaveLength(1);
    clock.at += 55_000;
    expect(wrong().status).toBe(401);
    expect(wrong().status).toBe(429);
  });
});

it.each([
  ['without a token and a guard: closed', undefined, false, 'page-closed'],
  ['with a guard alone: open to whom it admits', undefined, true, undefined],
  ['with a token and a guard: the token is needed too', TOKEN, true, 'token-required'],
])('%s', (_, token, isGuarded, kind) => {
  const { access } = accessWith(token, isGuarded);
  const work = () => access.requireReader(requestWith({}));
  if (kind === undefined) expect(work()).toBeGreaterThan(clock.at);
  else expect(refusalOf(work).kind).toBe(kind);
});
