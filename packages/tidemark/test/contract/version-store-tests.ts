/** What every version store is tested with: a store without data, and short words for what is asked of it. */
import { afterEach, beforeEach } from '@jest/globals';
import type { TableReading, VersionStore, WriteMark } from '../../src/core/ports/version-store.js';

/** A store with no data, and power over the clock its leases run on. */
export interface VersionStoreUnderTest {
  readonly store: VersionStore;
  /** Resolves when at least so much time has passed on the store's clock. */
  pass(durationMs: number): Promise<void>;
  close(): Promise<void>;
}

export const USERS = 'public.users';
export const POSTS = 'public.posts';
export const LONG_MS = 600_000;
export const SHORT_MS = 30;

/** The store of the present test, opened before and closed after it. */
export class PresentStore {
  #held: VersionStoreUnderTest | undefined;

  constructor(open: () => Promise<VersionStoreUnderTest>) {
    beforeEach(async () => {
      this.#held = await open();
    });
    afterEach(() => this.#held?.close());
  }

  get store(): VersionStore {
    return this.#underTest.store;
  }

  pass(durationMs: number): Promise<void> {
    return this.#underTest.pass(durationMs);
  }

  async reading(table: string, ...names: string[]): Promise<TableReading> {
    const [found] = await this.store.read([{ table, names }]);
    if (!found) throw new Error('no reading');
    return found;
  }

  async versions(...names: string[]): Promise<readonly (string | undefined)[]> {
    return (await this.reading(USERS, ...names)).versions;
  }

  /** Versions of `public.users`, as a reader makes them. */
  async create(token: string, ...names: string[]): Promise<TableReading> {
    return this.store.create({ table: USERS, names }, token);
  }

  async settledEpoch(token: string): Promise<string> {
    await this.store.rotate(USERS, (await this.reading(USERS)).epoch, token);
    const settling = (await this.reading(USERS)).epoch ?? '';
    await this.store.settleEpoch(USERS, settling);
    return (await this.reading(USERS)).epoch ?? '';
  }

  async giveEpochs(): Promise<void> {
    await this.store.rotate(USERS, undefined, 'e0');
    await this.store.rotate(POSTS, undefined, 'e0');
  }

  write(writeId: string, ...names: string[]): WriteMark {
    return { writeId, backendPid: 4711, tables: [{ table: USERS, names }] };
  }

  get #underTest(): VersionStoreUnderTest {
    if (!this.#held) throw new Error('No store is open outside of a test.');
    return this.#held;
  }
}
