import { defineScript } from './script.js';

/**
 * Does what a write does, and changes nothing: a server that refuses it refuses writes.
 *
 * KEYS: heartbeat, question. Answers the question of an instance that has begun, if there is one.
 */
export const heartbeat = defineScript(
  'heartbeat',
  `
redis.call('DEL', KEYS[1])
return redis.call('GET', KEYS[2])
`,
);

/**
 * Takes a question away, which answers it, only while it still is the one.
 *
 * KEYS: question. ARGV: the question. Answers 1 when it did.
 */
export const answerQuestion = defineScript(
  'answer-question',
  `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`,
);
