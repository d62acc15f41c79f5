import type { AbstractHttpAdapter } from '@nestjs/core';
import { EXPRESS } from './express-reply.js';
import { FASTIFY } from './fastify-reply.js';
import type { ReplyBodies } from './http-reply.js';

const BODIES: Readonly<Record<string, ReplyBodies>> = { express: EXPRESS, fastify: FASTIFY };

/** @throws Error if the adapter is neither Express nor Fastify. */
export function replyBodiesOf(adapter: AbstractHttpAdapter): ReplyBodies {
  const type = adapter.getType();
  const bodies = BODIES[type];
  if (bodies) return bodies;
  throw new Error(
    `Routes of the HTTP adapter "${type}" cannot return queries: use the adapter of Express or Fastify, or await ` +
      'QueryCache.run(query) in the handler.',
  );
}
