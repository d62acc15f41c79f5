import { describe, expect, it } from 'vitest';
import { ReplyRewriter } from './server-ports.js';

const PORTS = new Map([
  [40_001, 50_001],
  [40_002, 50_002],
]);

/** Replies of servers and Sentinels, and what the client gets. */
const REPLIES = [
  ['-MOVED 3999 127.0.0.1:40001\r\n', '-MOVED 3999 127.0.0.1:50001\r\n'],
  [
    '*3\r\n$9\r\n127.0.0.1\r\n:40002\r\n$2\r\nid\r\n',
    '*3\r\n$9\r\n127.0.0.1\r\n:50002\r\n$2\r\nid\r\n',
  ],
  ['*2\r\n$9\r\n127.0.0.1\r\n$5\r\n40001\r\n', '*2\r\n$9\r\n127.0.0.1\r\n$5\r\n50001\r\n'],
  ['my 127.0.0.1 40001 127.0.0.1 40002\r\n', 'my 127.0.0.1 50001 127.0.0.1 50002\r\n'],
  [
    '127.0.0.1:40009 of another server, 40001 alone\r\n',
    '127.0.0.1:40009 of another server, 40001 alone\r\n',
  ],
] as const;

describe('ReplyRewriter', () => {
  it.each(REPLIES)('makes of %j %j, wherever the stream is split', (reply, expected) => {
    for (let at = 0; at <= reply.length; at += 1) {
      const rewriter = new ReplyRewriter(PORTS);
      const chunks = [reply.slice(0, at), reply.slice(at)];
      const passed = chunks.map((chunk) => rewriter.rewrite(Buffer.from(chunk)).toString());
      expect(passed.join('')).toBe(expected);
    }
  });

  it('passes bytes that are no text unchanged, and holds back nothing but an address', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    expect(new ReplyRewriter(PORTS).rewrite(bytes)).toEqual(bytes);
    const rewriter = new ReplyRewriter(PORTS);
    expect(rewriter.rewrite(Buffer.from('+1 of 127.0.0.1:4')).toString()).toBe('+1 of ');
  });
});
