/**
 * What a moment of the world comes to: two moments with one fingerprint have the same future.
 *
 * It covers
 * - Redis: every epoch, version, mark (its lease, names, backend, last transaction seen),
 *   registered dimension and entry, of the present data set and of the copy;
 * - PostgreSQL: all committed states in order and the open transactions;
 * - what was known when reads under way began, and what is known now;
 * - of each process: what it has sent and waits for, and everything it was told since it last was
 *   at rest, in order. A process does nothing by itself, so that decides all it will do. At rest a
 *   writer keeps nothing: its debts keep it awake. A reader keeps its entries in memory, which are
 *   covered, and what it distrusts since an outage; therefore it forgets what it was told only when
 *   a read that began after its last outage has found Redis trustworthy again (process.ts).
 * - the reads and faults left.
 *
 * Tokens are opaque to everyone, so they are numbered in the order in which they appear. Readers
 * differ by nothing but their names, so they are put in order.
 *
 * It does not cover the pace of settlement, which is taken out of the processes' hands: they look
 * after marks whenever there is something to look after (actors/reader.ts).
 */
import { hash } from 'node:crypto';
import type { World } from './world/world.js';

const TOKEN = /\u03C4\d+/g;

export function fingerprintOf(world: World): string {
  const readers = world.readers.map(
    (reader) => `${reader.process.describe()}\n${reader.describe()}`,
  );
  const text = [
    world.redis.describe(),
    world.postgres.describe(),
    [...world.fillLock.owners].join(),
    `${world.linearizability.floor} ${world.readsLeft} ${world.faultsLeft}`,
    ...world.writers.map((writer) => `${writer.process.describe()}\n${writer.describe()}`),
    ...readers
      .map((reader) => ({ reader, order: numbered(reader) }))
      .toSorted((a, b) => (a.order < b.order ? -1 : 1))
      .map(({ reader }) => reader),
  ].join('\n\n');
  return hash('sha1', numbered(text), 'base64');
}

function numbered(text: string): string {
  const numbers = new Map<string, number>();
  return text.replace(TOKEN, (token) => {
    let number = numbers.get(token);
    if (number === undefined) numbers.set(token, (number = numbers.size));
    return `#${number}`;
  });
}
