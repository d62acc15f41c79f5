import { expect, it } from 'vitest';
import { nodeCheck, typeormCheck } from './version-checks.js';

it.each([
  ['20.18.9', 'FAIL'],
  ['20.19.0', 'ok'],
  ['22.1.0', 'ok'],
])('Node %s: %s', (version, level) => {
  expect(nodeCheck(version).level).toBe(level);
});

it.each([
  [undefined, 'warn'],
  ['0.3.22', 'FAIL'],
  ['0.3.23', 'ok'],
  ['1.1.1', 'ok'],
  ['2.0.0', 'FAIL'],
])('TypeORM %s: %s', (version, level) => {
  expect(typeormCheck(version).level).toBe(level);
});
