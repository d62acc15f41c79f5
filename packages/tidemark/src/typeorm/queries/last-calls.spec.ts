import { expect, it } from 'vitest';
import type { CompiledQuery } from './compiled-query.js';
import { LastCalls } from './last-calls.js';

const compiled = (name: string) =>
  ({ name, sql: name, parameters: [] }) as unknown as CompiledQuery;

it('201 names: the one that was compiled longest ago is forgotten', () => {
  const calls = new LastCalls();
  for (let n = 0; n < 200; n += 1) calls.note(compiled(`q${n}`), { reason: 'view' });
  calls.note(compiled('q0'), { reason: 'view' });
  calls.note(compiled('q200'), { reason: 'view' });
  expect(calls.get('q0')?.sql).toBe('q0');
  expect(calls.get('q1')).toBeUndefined();
});

it('an answer that must not be stored: the reason in place of the plan, with the same SQL', () => {
  const calls = new LastCalls();
  calls.note(compiled('q'), {
    key: 'k',
    dependencies: { tables: [], completeRowCount: undefined },
  });
  calls.refused('q', 'too-large');
  expect(calls.get('q')).toEqual({ sql: 'q', parameters: [], plan: { reason: 'too-large' } });
});
