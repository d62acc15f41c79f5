import { expect, it } from 'vitest';
import { CacheEvents, type ShadowDifference } from '../core/ports/cache-events.js';
import { AuditFindings } from './audit-findings.js';

const STAMP = 'public.users@epoch\nid=…:token\n';

function setUp() {
  const events = new CacheEvents();
  const lines: string[] = [];
  const findings = new AuditFindings(events, { error: (line: string) => lines.push(line) });
  const audit = (difference: ShadowDifference): unknown =>
    events.emit('audited', { query: 'users', key: 'k', difference, stamp: STAMP });
  return { findings, lines, audit };
}

it('equal answers: no line, no degradation', () => {
  const { findings, lines, audit } = setUp();
  audit('none');
  expect([findings.degradation, lines]).toEqual([undefined, []]);
});

it('rows in another order: a line, and no degradation, since the database may choose the order', () => {
  const { findings, lines, audit } = setUp();
  audit('order');
  expect([findings.degradation, lines.length]).toEqual([undefined, 1]);
});

it('other answers: one line in a minute with key and stamp, and a degradation that counts them', () => {
  const { findings, lines, audit } = setUp();
  audit('content');
  expect(findings.degradation).toContain(
    'The auditor found an answer that differs from the database',
  );
  audit('headers');
  expect(findings.degradation).toContain('found 2 answers that differ from the database');
  expect(findings.degradation).toContain('of the query users');
  expect(lines).toEqual([
    'Audit: the stored answer of the query users differs from the database in its content. ' +
      'It was served. Key k, stamp public.users@epoch id=…:token',
  ]);
});
