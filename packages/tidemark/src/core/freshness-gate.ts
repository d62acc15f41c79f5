/**
 * The gate that every read passes: are the dependencies free of doubt, and under which stamp?
 *
 * The versions are read after the request arrived. If nothing can be trusted (an epoch does not count,
 * trusted-epochs.ts; a write is marked; the schema has changed; the store does not answer), the gate reports that and
 * starts the repair, and the caller queries the database without storing.
 */
import { allBuckets } from './buckets.js';
import type { BypassReason } from './ports/cache-events.js';
import { schemaDependency, schemaVersionOf, type KnownSchemaVersion } from './schema-version.js';
import type { Settlement } from './settlement.js';
import { isInDoubt, isValueVersion, type TokenSource } from './versions.js';
import { TrustedEpochs } from './trusted-epochs.js';
import type { TableReading, TableVersionNames, VersionStore } from './ports/version-store.js';

/**
 * The epochs and versions of all dependencies, read before the SELECT started. Two texts are equal only if no write to
 * any dependency began in between.
 */
export interface Stamp {
  readonly text: string;
  /** The versions in the text, in its order: those of the answer, then those of the schema. */
  readonly dependencies: readonly TableVersionNames[];
  /** Value versions created for this stamp, under which nothing has been stored yet. */
  made: readonly NewVersions[];
}

interface NewVersions {
  readonly versions: TableVersionNames;
  readonly token: string;
}

type Untrusted = Extract<BypassReason, 'in-doubt' | 'settling' | 'unavailable' | 'schema-change'>;

export type Freshness =
  | { readonly trusted: true; readonly stamp: Stamp }
  | { readonly trusted: false; readonly reason: Untrusted };

export interface FreshnessGateParts {
  readonly store: VersionStore;
  readonly settlement: Settlement;
  readonly schema: KnownSchemaVersion;
  readonly token: TokenSource;
}

/** The versions to read for an answer, and the latest verdict on them. */
interface Question {
  /** The dependencies of the answer, then those of the schema in its buckets. */
  readonly dependencies: readonly TableVersionNames[];
  readonly buckets: readonly number[];
  latest?: Verdict;
  /** The stamp of the latest trusted reading. */
  stamp?: Stamp;
}

interface Verdict {
  readonly reading: Promise<readonly TableReading[]>;
  /** The number of outages before the reading began. */
  readonly outages: number;
  readonly freshness: Promise<Freshness>;
}

export class FreshnessGate {
  readonly #epochs: TrustedEpochs;
  readonly #questions = new WeakMap<readonly TableVersionNames[], Question>();
  readonly #schemaQuestions: readonly Question[];

  constructor(private readonly parts: FreshnessGateParts) {
    const { store, settlement } = parts;
    this.#epochs = new TrustedEpochs(store, settlement);
    this.#schemaQuestions = allBuckets(store).map((bucket) => questionAbout([], [bucket]));
  }

  /** Writes to the bucket may have committed unseen: everything of it that was cached so far is distrusted. */
  distrust(bucket: number): void {
    this.#epochs.distrust(bucket);
  }

  /** Whether this process can attest the bucket's data to other processes. */
  isUnbroken(bucket: number): boolean {
    return this.#epochs.isUnbroken(bucket);
  }

  /**
   * Reads the versions and returns the verdict on them. Never rejects. Calls that the store answers with the same reading
   * share the verdict.
   */
  check(answerDependencies: readonly TableVersionNames[]): Promise<Freshness> {
    let question = this.#questions.get(answerDependencies);
    if (!question) {
      question = questionAbout(answerDependencies, this.#bucketsOf(answerDependencies));
      this.#questions.set(answerDependencies, question);
    }
    return this.#ask(question);
  }

  /** Like {@link check}, for the schema in one bucket: replaces its epoch if that is not trusted. */
  checkSchema(bucket: number): Promise<Freshness> {
    return this.#ask(this.#schemaQuestions[bucket] ?? questionAbout([], [bucket]));
  }

  /** An answer was stored under the stamp for `lifeMs` milliseconds: its versions must live as long. */
  stored(stamp: Stamp, answerDependencies: readonly TableVersionNames[], lifeMs: number): void {
    stamp.made = [];
    for (const { table, names } of answerDependencies) {
      const values = names.filter(isValueVersion);
      if (values.length === 0) continue;
      // A version that expires too early costs a fill.
      this.parts.store.prolong({ table, names: values }, lifeMs).catch(ignore);
    }
  }

  /** An answer under the stamp was not stored: drops the versions that were created for it alone. */
  notStored(stamp: Stamp): void {
    for (const { versions, token } of stamp.made) {
      this.parts.store.drop(versions, token).catch(ignore);
    }
    stamp.made = [];
  }

  #ask(question: Question): Promise<Freshness> {
    const { latest, dependencies } = question;
    const { outages } = this.#epochs;
    const reading = this.parts.store.read(dependencies);
    if (latest?.reading === reading && latest.outages === outages) return latest.freshness;
    const freshness = this.#check(question, reading, outages).catch(() => untrusted('unavailable'));
    question.latest = { reading, outages, freshness };
    return freshness;
  }

  /** An answer without tables depends on the schema in one bucket. */
  #bucketsOf(dependencies: readonly TableVersionNames[]): readonly number[] {
    const buckets = new Set(dependencies.map(({ table }) => this.parts.store.bucketOf(table)));
    return buckets.size === 0 ? [0] : [...buckets];
  }

  async #check(
    question: Question,
    reading: Promise<readonly TableReading[]>,
    outages: number,
  ): Promise<Freshness> {
    const readings = await reading;
    const first = await this.#verdictOn(question, readings, outages);
    const isSettling = !first.trusted && first.reason === 'settling';
    if (!isSettling || !(await this.#epochs.repair(readings, outages))) return first;
    const outagesNow = this.#epochs.outages;
    const repaired = await this.parts.store.read(question.dependencies);
    return this.#verdictOn(question, repaired, outagesNow);
  }

  async #verdictOn(
    question: Question,
    read: readonly TableReading[],
    outages: number,
  ): Promise<Freshness> {
    const { dependencies } = question;
    const isTrusted = (reading: TableReading): boolean => this.#epochs.trusts(reading);
    if (read.some(({ node }) => node === undefined)) return untrusted('unavailable');
    if (!read.every(isTrusted)) return untrusted('settling');
    let readings = read;
    const made: NewVersions[] = [];
    if (read.some(isIncomplete)) {
      readings = await this.#createMissing(dependencies, read, made);
      if (!readings.every(isTrusted)) return untrusted('settling');
    }
    const doubtful = dependencies.filter((_, index) => isDoubtful(readings[index]));
    for (const { table, names } of doubtful) {
      // A failure means that one of the servers is unavailable; the next reader tries again.
      this.parts.settlement.settleMarks(table, names).catch(ignore);
    }
    if (doubtful.length > 0) return untrusted('in-doubt');
    if (!this.#isOfSchema(question, readings)) return untrusted('schema-change');
    const text = textOf(dependencies, readings);
    // Entries with equal stamps share one text.
    if (question.stamp?.text !== text) {
      question.stamp = { text, dependencies, made: [] };
      this.#epochs.used(
        dependencies.map(({ table }) => table),
        outages,
      );
    }
    if (made.length > 0) question.stamp.made = made;
    return { trusted: true, stamp: question.stamp };
  }

  /** Asks for each bucket: a version that differs marks the catalog outdated. */
  #isOfSchema({ buckets }: Question, readings: readonly TableReading[]): boolean {
    const first = readings.length - buckets.length;
    return buckets.every((bucket, index) =>
      this.parts.schema.isOfVersion(bucket, schemaVersionOf(readings[first + index])),
    );
  }

  /** The token of a created version matches nothing stored. */
  #createMissing(
    wanted: readonly TableVersionNames[],
    readings: readonly TableReading[],
    made: NewVersions[],
  ): Promise<readonly TableReading[]> {
    return Promise.all(
      readings.map(async (reading, index) => {
        const versions = wanted[index];
        if (!versions || !isIncomplete(reading)) return reading;
        const token = this.parts.token();
        const created = await this.parts.store.create(versions, token);
        const names = versions.names.filter(
          (name, position) => isValueVersion(name) && created.versions[position] === token,
        );
        if (names.length > 0) made.push({ versions: { table: versions.table, names }, token });
        return created;
      }),
    );
  }
}

function questionAbout(
  answerDependencies: readonly TableVersionNames[],
  buckets: readonly number[],
): Question {
  return { dependencies: [...answerDependencies, ...buckets.map(schemaDependency)], buckets };
}

function untrusted(reason: Untrusted): Freshness {
  return { trusted: false, reason };
}

/** The text of a stamp, if all versions are present. */
function textOf(
  dependencies: readonly TableVersionNames[],
  readings: readonly TableReading[],
): string {
  let text = '';
  dependencies.forEach(({ table, names }, index) => {
    const reading = readings[index];
    text += `${table}@${reading?.epoch}`;
    names.forEach((name, position) => {
      text += `\n${name}:${reading?.versions[position]}`;
    });
    text += '\n';
  });
  return text;
}

function isIncomplete({ versions }: TableReading): boolean {
  return versions.includes(undefined);
}

/** A version that is still missing belongs to a dimension that an open write does not know. */
function isDoubtful(reading: TableReading | undefined): boolean {
  return !reading?.versions.every((version) => version !== undefined && !isInDoubt(version));
}

function ignore(): void {
  // An outage, which is reported elsewhere.
}
