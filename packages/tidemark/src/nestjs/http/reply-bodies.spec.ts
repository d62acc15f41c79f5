import { expect, it } from 'vitest';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { replyBodiesOf } from './reply-bodies.js';

it('an adapter of another server: an error that names it and the remedy', () => {
  const adapter = { getType: () => 'uws' } as AbstractHttpAdapter;
  expect(() => replyBodiesOf(adapter)).toThrow(
    'Routes of the HTTP adapter "uws" cannot return queries: use the adapter of Express or Fastify, or await ' +
      'QueryCache.run(query) in the handler.',
  );
});
