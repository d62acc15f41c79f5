/** The cases of the contract, and an open store with short forms of its calls. */
import type { TableReading, VersionStore, WriteMark } from '../../core/ports/version-store.js';

/** A store without data, and control of the clock that its leases run on. */
export interface VersionStoreUnderTest {
  readonly store: VersionStore;
  /** Resolves when at least this time has passed on the store's clock. */
  pass(durationMs: number): Promise<void>;
  close(): Promise<void>;
}

/** One case of the contract; any test runner can execute it. */
export interface VersionStoreCase {
  readonly title: string;
  /**
   * Opens a store, tests it and closes it. Rejects with an `AssertionError` of Node where the store differs.
   *
   * @param open opens a store without data
   */
  readonly run: (open: () => Promise<VersionStoreUnderTest>) => Promise<void>;
}

type Step = (on: OpenStore) => Promise<unknown>;

export const USERS = 'public.users';
export const POSTS = 'public.posts';
export const LONG_MS = 600_000;
export const SHORT_MS = 30;

/** @param cases by title */
export function casesOf(
  subject: string,
  prepare: Step,
  cases: Readonly<Record<string, Step>>,
): VersionStoreCase[] {
  return Object.entries(cases).map(([title, step]) => ({
    title: `${subject}: ${title}`,
    run: async (open) => {
      const underTest = await open();
      try {
        const on = new OpenStore(underTest);
        await prepare(on);
        await step(on);
      } finally {
        await underTest.close();
      }
    },
  }));
}

export class OpenStore {
  readonly store: VersionStore;

  constructor(private readonly underTest: VersionStoreUnderTest) {
    this.store = underTest.store;
  }

  pass(durationMs: number): Promise<void> {
    return this.underTest.pass(durationMs);
  }

  async reading(table: string, ...names: string[]): Promise<TableReading> {
    const [found] = await this.store.read([{ table, names }]);
    if (!found) throw new Error(`The store gave no reading of ${table}.`);
    return found;
  }

  async versions(...names: string[]): Promise<readonly (string | undefined)[]> {
    return (await this.reading(USERS, ...names)).versions;
  }

  /** Creates versions of `public.users`, as a reader does. */
  create(token: string, ...names: string[]): Promise<TableReading> {
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
}
