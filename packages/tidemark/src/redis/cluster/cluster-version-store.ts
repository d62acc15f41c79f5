import {
  VersionStore,
  type MarksReport,
  type StandingMark,
  type TableReading,
  type TableVersionNames,
  type WriteMark,
} from '../../core/ports/version-store.js';
import { settledSteps } from '../../core/buckets.js';
import { bucketOf } from './slots.js';

type Wanted = readonly TableVersionNames[];
type Readings = readonly TableReading[];

/** A list of tables, split by bucket. */
interface Split {
  readonly parts: readonly Part[];
  latest?: Combined;
}

interface Part {
  readonly bucket: number;
  readonly tables: Wanted;
  /** The places of the tables in the whole list. */
  readonly places: readonly number[];
}

/** The readings of the parts, and those of the whole list. */
interface Combined {
  readonly readings: readonly Promise<Readings>[];
  readonly all: Promise<Readings>;
}

/** Versions, marks and epochs in the buckets of a Redis Cluster, each in a store that fails alone. */
export class ClusterVersionStore extends VersionStore {
  readonly #splits = new WeakMap<Wanted, Split>();
  readonly #buckets = new Map<string, number>();

  constructor(private readonly stores: readonly VersionStore[]) {
    super();
  }

  override get buckets(): number {
    return this.stores.length;
  }

  override bucketOf(table: string): number {
    let bucket = this.#buckets.get(table);
    if (bucket === undefined) {
      bucket = bucketOf(table);
      this.#buckets.set(table, bucket);
    }
    return bucket;
  }

  /** All buckets are asked in the same turn. */
  override read(tables: Wanted): Promise<Readings> {
    let split = this.#splits.get(tables);
    if (!split) {
      split = { parts: this.#split(tables) };
      this.#splits.set(tables, split);
    }
    const { parts, latest } = split;
    const [first] = parts;
    if (parts.length === 1 && first) return this.#in(first.bucket).read(first.tables);
    const readings = parts.map((part) => this.#in(part.bucket).read(part.tables));
    if (latest?.readings.every((reading, index) => reading === readings[index])) return latest.all;
    const all = Promise.all(readings).then((answers) => joined(parts, answers));
    split.latest = { readings, all };
    return all;
  }

  override create(versions: TableVersionNames, token: string): Promise<TableReading> {
    return this.#of(versions.table).create(versions, token);
  }

  override prolong(versions: TableVersionNames, lifeMs: number): Promise<void> {
    return this.#of(versions.table).prolong(versions, lifeMs);
  }

  override drop(versions: TableVersionNames, token: string): Promise<void> {
    return this.#of(versions.table).drop(versions, token);
  }

  override begin(mark: WriteMark, token: string, leaseMs: number): Promise<void> {
    return settledSteps(
      this.#split(mark.tables).map(({ bucket, tables }) =>
        this.#in(bucket).begin({ ...mark, tables }, token, leaseMs),
      ),
    );
  }

  override end(writeId: string, tables: readonly string[], token: string): Promise<void> {
    return this.#each(tables, (store, inBucket) => store.end(writeId, inBucket, token));
  }

  override abort(writeId: string, tables: readonly string[]): Promise<void> {
    return this.#each(tables, (store, inBucket) => store.abort(writeId, inBucket));
  }

  override inspect(versions: TableVersionNames): Promise<MarksReport> {
    return this.#of(versions.table).inspect(versions);
  }

  override marks(table: string): Promise<readonly StandingMark[]> {
    return this.#of(table).marks(table);
  }

  override settle(table: string, writeId: string, token: string): Promise<boolean> {
    return this.#of(table).settle(table, writeId, token);
  }

  override renew(
    table: string,
    writeId: string,
    transactionId: string,
    leaseMs: number,
  ): Promise<void> {
    return this.#of(table).renew(table, writeId, transactionId, leaseMs);
  }

  /** Those of the buckets that answer. Rejects if none does. */
  override async tables(): Promise<readonly string[]> {
    const asked = this.stores.map((store) => store.tables());
    const answers = await Promise.allSettled(asked);
    const found = answers.flatMap((answer) =>
      answer.status === 'fulfilled' ? [answer.value] : [],
    );
    if (found.length === 0) await asked[0];
    return found.flat();
  }

  override rotate(table: string, observed: string | undefined, token: string): Promise<boolean> {
    return this.#of(table).rotate(table, observed, token);
  }

  override settleEpoch(table: string, observed: string): Promise<boolean> {
    return this.#of(table).settleEpoch(table, observed);
  }

  #of(table: string): VersionStore {
    return this.#in(this.bucketOf(table));
  }

  #in(bucket: number): VersionStore {
    const store = this.stores[bucket];
    if (!store) throw new RangeError(`There is no bucket ${bucket}`);
    return store;
  }

  #each(
    tables: readonly string[],
    step: (store: VersionStore, tables: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const parts = this.#split(tables.map((table) => ({ table, names: [] })));
    return settledSteps(
      parts.map((part) =>
        step(
          this.#in(part.bucket),
          part.tables.map(({ table }) => table),
        ),
      ),
    );
  }

  /** A list whose tables lie in one bucket stays the same object, since stores remember lists by it. */
  #split(tables: Wanted): readonly Part[] {
    const byBucket = new Map<number, number[]>();
    tables.forEach(({ table }, place) => {
      const bucket = this.bucketOf(table);
      byBucket.set(bucket, [...(byBucket.get(bucket) ?? []), place]);
    });
    return Array.from(byBucket, ([bucket, places]) => {
      const isWhole = places.length === tables.length;
      const own = places.flatMap((place) => tables[place] ?? []);
      return { bucket, places, tables: isWhole ? tables : own };
    });
  }
}

/** The readings of the parts in the order of the whole list. */
function joined(parts: readonly Part[], answers: readonly Readings[]): Readings {
  const readings: TableReading[] = [];
  parts.forEach(({ places }, index) => {
    places.forEach((place, position) => {
      const reading = answers[index]?.[position];
      if (reading) readings[place] = reading;
    });
  });
  return readings;
}
