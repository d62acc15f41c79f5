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
