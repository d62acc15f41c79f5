/**
 * The fingerprint of a state of the world: two states with one fingerprint have the same future.
 *
 * It covers
 * - Redis: every epoch, version, mark (its lease, names, backend, last transaction seen),
 *   registered dimension and entry, of the present data set and of the copy, of each bucket;
 * - PostgreSQL: all committed states in order and the open transactions;
 * - the newest state shown when reads under way began, and the newest shown now;
 * - of each process: the calls that it waits for, and all answers since it last was at rest, in
 *   order. A process does nothing by itself, so that decides all it will do. At rest a writer keeps
 *   nothing: its retry queue keeps it awake. A reader keeps its entries in memory, which are covered,
 *   and its distrust since an outage; therefore its answers are dropped only when reads that began
 *   after its last outage of each bucket have found all tables of the bucket trustworthy again (process.ts).
 * - the reads and faults left.
 *
 * Tokens are opaque, so they are numbered in the order in which they appear. Readers
 * differ by nothing but their names, so they are put in order.
 *
 * It does not cover the pace of settlement: processes check marks whenever there is something to settle
 * (actors/reader.ts).
 */
import { hash } from 'node:crypto';
import { numbered } from './tokens.js';
import type { World } from './world/world.js';

/** A state of the world in words. */
export interface SystemState {
  readonly redis: string;
  /** The state that processes share beside Redis. */
  readonly shared: string;
  readonly floor: number;
  /** Of each process in the order of `World.processes`: the readers come first. */
  readonly processes: readonly string[];
  readonly readers: number;
}

export function systemStateOf(world: World): SystemState {
  return {
    redis: describeRedis(world),
    shared: [
      world.postgres.describe(),
      [...world.fillLock.owners].join(),
      `${world.readsLeft} ${world.faultsLeft}`,
    ].join('\n\n'),
    floor: world.linearizability.floor,
    processes: world.actors.map(describeActor),
    readers: world.readers.length,
  };
}

export function describeRedis({ servers }: World): string {
  return servers.map((redis) => redis.describe()).join('\n');
}

/** All that decides what a process will do. */
export function describeActor(actor: World['actors'][number]): string {
  return `${actor.process.describe()}\n${actor.describe()}`;
}

export function fingerprintOf({ redis, shared, floor, processes, readers }: SystemState): string {
  const text = [
    redis,
    shared,
    floor,
    ...processes.slice(readers),
    ...inOrder(processes.slice(0, readers)),
  ].join('\n\n');
  return hash('sha1', numbered(text).text, 'base64');
}

function inOrder(readers: readonly string[]): readonly string[] {
  if (readers.length < 2) return readers;
  return readers
    .map((reader) => ({ reader, order: numbered(reader).text }))
    .toSorted((a, b) => (a.order < b.order ? -1 : 1))
    .map(({ reader }) => reader);
}
