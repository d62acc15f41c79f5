import { describe, expect, it } from 'vitest';
import type { Redis } from 'ioredis';
import { SlotReply, withSlotReplies } from './slot-replies.js';

const answered = (text: string) =>
  withSlotReplies(() => Promise.reject(new Error(text)))({} as Redis, 'node');

describe('an error reply', () => {
  it.each([
    ['MOVED 3999 10.0.0.1:6381', 'moved', { host: '10.0.0.1', port: 6381 }],
    ['MOVED 3999 :6381', 'moved', { host: '', port: 6381 }],
    ['ASK 3999 node.example:6381', 'ask', { host: 'node.example', port: 6381 }],
    ['ASK 3999 2001:db8::1:6381', 'ask', { host: '2001:db8::1', port: 6381 }],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'split', undefined],
    [
      'ERR Script attempted to access a non local key in a cluster node script: f, on @user_script:7.',
      'split',
      undefined,
    ],
    ['CLUSTERDOWN Hash slot not served', 'down', undefined],
  ])('%s concerns the slot', async (text, kind, target) => {
    expect(await answered(text)).toEqual(new SlotReply(kind as SlotReply['kind'], text, target));
  });

  it.each(['NOPERM no permission', 'OOM command not allowed', 'the connection was closed'])(
    '%s concerns the node',
    async (text) => {
      await expect(answered(text)).rejects.toThrow(text);
    },
  );
});
