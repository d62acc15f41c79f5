import type { RedisLog } from '../redis/connection/outage-state.js';
import type { RedisConnection } from '../redis/connection/redis-connection.js';
import { PERMISSION_REMEDY } from '../redis/connection/redis.errors.js';
import { Trouble } from '../redis/trouble.js';

/** A server near its memory limit refuses one command and accepts the next: it counts as full for this time. */
const FULL_SHOWN_MS = 3_000;
const LOSS_SHOWN_MS = 15_000;

/** What can be wrong with a Redis server that is available. */
export class RedisTroubles {
  readonly #full: Trouble;
  readonly #losses: Trouble;

  /** @param address without user and password, for the log. */
  constructor(
    private readonly connection: () => Pick<RedisConnection, 'evictionPolicy'>,
    address: string,
    log: RedisLog,
  ) {
    const name = `Redis at ${address}`;
    this.#full = new Trouble(FULL_SHOWN_MS, {
      begin: () =>
        log.warn(
          `${name} has reached its maxmemory and refuses to store answers, so reads go to the database; raise ` +
            'maxmemory, or set maxmemory-policy to volatile-lru',
        ),
      end: () => log.log(`${name} has room for answers again`),
    });
    this.#losses = new Trouble(LOSS_SHOWN_MS, {
      begin: () =>
        log.warn(
          `${name} has lost data of the cache, so answers are filled again; let no other client delete its keys, and ` +
            'set maxmemory-policy to volatile-lru or noeviction',
        ),
    });
  }

  /** Whether the server may evict any key when its memory is full. */
  get mayEvictAll(): boolean {
    return this.connection().evictionPolicy?.startsWith('allkeys-') === true;
  }

  /** The server has refused a command that needs more memory. */
  isFull(): void {
    this.#full.noticed();
  }

  /** An epoch that this process has trusted is lost, although the server was available all the time. */
  hasLost(): void {
    this.#losses.noticed();
  }

  /** The server has lost data, for a reason that the log has. */
  hasLostAsLogged(): void {
    this.#losses.show();
  }

  /** A heartbeat has succeeded. */
  beaten(): void {
    this.#full.absent();
    this.#losses.absent();
  }

  /** In public words, which follow the name of the server. */
  describe(): string | undefined {
    if (this.#full.isOn) {
      return 'has reached its maxmemory and stores no answers: raise it, or set maxmemory-policy to volatile-lru';
    }
    if (this.#losses.isOn) {
      return 'has lost data of the cache, or has held older data again, and answers are filled again: the log says what to look for';
    }
    return this.mayEvictAll
      ? `may drop marks under maxmemory-policy ${this.connection().evictionPolicy}: set volatile-lru or noeviction`
      : undefined;
  }
}

/** Why a server is not available, if its user lacks a permission; empty otherwise. */
export function lackedPermission(reason: string): string {
  return reason.endsWith(PERMISSION_REMEDY) ? ` (${reason})` : '';
}
