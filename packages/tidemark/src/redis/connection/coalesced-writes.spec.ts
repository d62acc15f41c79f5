import { describe, expect, it } from 'vitest';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CoalescedWrites } from './coalesced-writes.js';

/** A stream that records the chunks that leave together. */
class Noting extends Writable {
  readonly left: string[] = [];

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.left.push(chunk.toString());
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.left.push(chunks.map(({ chunk }) => chunk.toString()).join(' '));
    done();
  }
}

/** Longer than any stall of the machine. */
const FOR_ANOTHER_MS = 60_000;

function setUp(maxWaitMs?: number) {
  const writes = new CoalescedWrites(maxWaitMs);
  const stream = new Noting();
  const write = async (text: string): Promise<void> => {
    writes.hold(stream);
    stream.write(text);
  };
  return { writes, stream, write };
}

describe('CoalescedWrites', () => {
  it('sends the writes of one callback together, at its end', async () => {
    const { stream, write } = setUp();
    void write('a');
    await Promise.resolve().then(() => write('b'));
    expect(stream.left).toEqual([]);
    await new Promise((resolve) => process.nextTick(resolve));
    expect(stream.left).toEqual(['a b']);
    void write('c');
    await nextTurn();
    expect(stream.left).toEqual(['a b', 'c']);
  });

  it.each(['before', 'after'])(
    'sends a write with the end-of-turn write that is requested %s it',
    async (when) => {
      const { writes, stream, write } = setUp();
      const atEnd = (): void => {
        void writes.atEndOfTurn(() => write('x'));
        void writes.atEndOfTurn(() => write('y'));
      };
      if (when === 'before') atEnd();
      void write('a');
      if (when === 'after') atEnd();
      await new Promise((resolve) => process.nextTick(resolve));
      expect(stream.left).toEqual([]);
      await nextTurn();
      expect(stream.left).toEqual(['a x y']);
    },
  );

  it('sends a write for which no caller waits behind the next write', async () => {
    const { writes, stream, write } = setUp(FOR_ANOTHER_MS);
    void writes.withNext(() => write('later'));
    void writes.withNext(() => write('as well'));
    await nextTurn();
    expect(stream.left).toEqual([]);
    void write('a');
    await nextTurn();
    expect(stream.left).toEqual(['a later as well']);
    void writes.withNext(() => write('last'));
    void writes.atEndOfTurn(() => write('b'));
    await nextTurn();
    expect(stream.left).toEqual(['a later as well', 'b last']);
  });

  it('sends that write alone if no other write follows', async () => {
    const { writes, stream, write } = setUp();
    const answer = writes.withNext(async () => {
      void write('alone');
      return 'answer';
    });
    expect(await answer).toBe('answer');
    await nextTurn();
    expect(stream.left).toEqual(['alone']);
  });

  it('resolves when the next write has left', async () => {
    const { writes, stream, write } = setUp(FOR_ANOTHER_MS);
    const left: string[] = [];
    void writes.whenWaiting().then(() => left.push(...stream.left));
    await nextTurn();
    expect(left).toEqual([]);
    void writes.withNext(() => write('b'));
    void write('a');
    await nextTurn();
    expect(left).toEqual(['a b']);
  });

  it('resolves after the maximum wait if no write follows', async () => {
    const { writes } = setUp();
    await writes.whenWaiting();
  });

  it('keeps a thrown error from the other writes', async () => {
    const { writes, stream, write } = setUp(FOR_ANOTHER_MS);
    const fail = (): Promise<never> => {
      throw new Error('away');
    };
    const failures = [writes.atEndOfTurn(fail), writes.withNext(fail)];
    void writes.atEndOfTurn(() => write('a'));
    void writes.withNext(() => write('b'));
    for (const failure of failures) await expect(failure).rejects.toThrow('away');
    await nextTurn();
    expect(stream.left).toEqual(['a b']);
  });

  it('releases a stream when another one is held', async () => {
    const { writes, stream, write } = setUp();
    const other = new Noting();
    void writes.atEndOfTurn(() => Promise.resolve());
    void write('a');
    writes.hold(other);
    other.write('b');
    expect(stream.left).toEqual(['a']);
    await nextTurn();
    expect(other.left).toEqual(['b']);
  });
});
