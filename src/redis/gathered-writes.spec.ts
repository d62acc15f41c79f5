import { describe, expect, it } from '@jest/globals';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GatheredWrites } from './gathered-writes.js';

/** A stream that notes what leaves together. */
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

function setUp() {
  const writes = new GatheredWrites();
  const stream = new Noting();
  const write = (text: string): void => {
    writes.hold(stream);
    stream.write(text);
  };
  return { writes, stream, write };
}

describe('GatheredWrites', () => {
  it('lets what one callback writes leave together, and no later', async () => {
    const { stream, write } = setUp();
    write('a');
    await Promise.resolve().then(() => write('b'));
    expect(stream.left).toEqual([]);
    await new Promise((resolve) => process.nextTick(resolve));
    expect(stream.left).toEqual(['a b']);
    write('c');
    await nextTurn();
    expect(stream.left).toEqual(['a b', 'c']);
  });

  it.each(['before', 'after'])(
    'lets it leave with what the turn ends with, asked %s',
    async (when) => {
      const { writes, stream, write } = setUp();
      const atEnd = (): void => {
        writes.atEndOfTurn(() => write('x'));
        writes.atEndOfTurn(() => write('y'));
      };
      if (when === 'before') atEnd();
      write('a');
      if (when === 'after') atEnd();
      await new Promise((resolve) => process.nextTick(resolve));
      expect(stream.left).toEqual([]);
      await nextTurn();
      expect(stream.left).toEqual(['a x y']);
    },
  );

  it('lets what nobody waits for leave behind the next', async () => {
    const { writes, stream, write } = setUp();
    writes.withNext(() => write('later'));
    writes.withNext(() => write('as well'));
    await nextTurn();
    expect(stream.left).toEqual([]);
    write('a');
    await nextTurn();
    expect(stream.left).toEqual(['a later as well']);
    writes.withNext(() => write('last'));
    writes.atEndOfTurn(() => write('b'));
    await nextTurn();
    expect(stream.left).toEqual(['a later as well', 'b last']);
  });

  it('lets it leave alone where nothing comes', async () => {
    const { writes, stream, write } = setUp();
    const answer = writes.answerWithNext(async () => {
      write('alone');
      return 'answer';
    });
    expect(await answer).toBe('answer');
    await nextTurn();
    expect(stream.left).toEqual(['alone']);
  });

  it('tells of a failure', async () => {
    const { writes } = setUp();
    const fail = (): Promise<never> => Promise.reject(new Error('away'));
    await expect(writes.answerWithNext(fail)).rejects.toThrow('away');
    await expect(writes.answerAtEndOfTurn(fail)).rejects.toThrow('away');
  });

  it('holds no stream that has been left for another', async () => {
    const { writes, stream, write } = setUp();
    const other = new Noting();
    writes.atEndOfTurn(() => undefined);
    write('a');
    writes.hold(other);
    other.write('b');
    expect(stream.left).toEqual(['a']);
    await nextTurn();
    expect(other.left).toEqual(['b']);
  });
});
