/** Port over a cache, so that each scenario runs on all of them. */
import type { DataSource, EntityManager } from 'typeorm';
import type { QueryName } from '../fixtures/queries.js';

/**
 * How long every system may keep an answer, in milliseconds: longer than the whole run, so that an
 * old answer that is served was served because nothing ended it.
 */
export const TTL_MS = 30 * 60_000;

export interface Servers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
}

export interface InstanceOptions {
  /** With the system's own option to go on serving what has been invalidated, if it has one. */
  readonly servesStale?: boolean;
  /** With the setting that refuses a write whose invalidation cannot be published, if the system has one. */
  readonly refusesUnpublished?: boolean;
}

/** One instance of an application whose reads go through the cache. */
export interface PeerCache {
  /** The application's data source; every write goes through it. */
  readonly source: DataSource;
  /** The answer as text, from the cache or the database. */
  read(query: QueryName): Promise<string>;
  /** The same read, by code that runs in an open transaction. */
  readIn(manager: EntityManager, query: QueryName): Promise<string>;
  /**
   * The call that the documentation asks for after a write, for the answers that the programmer knows to be
   * affected. Does nothing where the system invalidates by itself.
   */
  invalidate(queries: readonly QueryName[]): Promise<void>;
  /**
   * Resolves when the next invalidation of these answers by another instance is received. Absent, like the next
   * one, where instances send one another nothing.
   */
  invalidationReceived?(queries: readonly QueryName[]): Promise<void>;
  /** Resolves when the connection over which notices come is up. */
  whenListening?(): Promise<void>;
  stop(): Promise<void>;
}

export interface PeerSystem {
  readonly id: string;
  /** Heading of its column. */
  readonly title: string;
  /** The store of its answers. */
  readonly keptIn: 'redis' | 'database';
  /** Whether it finds out by itself which answers a write affects. */
  readonly invalidatesByItself: boolean;
  /** Redis patterns of the keys that are no answers but say whether answers are valid. */
  readonly validityKeys: readonly string[];
  /** Its option to serve what has been invalidated, as its documentation calls it. */
  readonly staleOption: string | undefined;
  start(servers: Servers, options: InstanceOptions): Promise<PeerCache>;
}
