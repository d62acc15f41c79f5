import { expect, it } from 'vitest';
import { CacheEvents } from '../core/ports/cache-events.js';
import { entryRefusals } from './entry-refusals.js';

it('counts every refused entry, and warns once per kind with the remedy', () => {
  const counted: string[] = [];
  const warnings: string[] = [];
  const events = new CacheEvents();
  events.on('entryRefused', ({ reason }) => counted.push(reason));
  const log = { log: () => undefined, warn: (message: string) => warnings.push(message) };
  const refuse = entryRefusals('shop', events, log);
  for (const reason of ['seal', 'form', 'seal', 'seal'] as const) refuse(reason);
  expect(counted).toEqual(['seal', 'form', 'seal', 'seal']);
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toContain('CACHE_ENTRY_SECRET');
  expect(warnings[1]).toContain('ACL');
  for (const warning of warnings) expect(warning).toContain('namespace shop');
});
