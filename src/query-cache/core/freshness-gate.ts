/**
 * The gate every read passes: are the dependencies free of doubt, and under which stamp?
 *
 * The versions are read after the request arrived. Where nothing can be trusted (an epoch does not count,
 * trusted-epochs.ts; a write is marked; the schema has changed; the store does not answer) the gate says so and
 * sets the repair going, and the caller asks the database without storing.
 */
import type { BypassReason } from './cache-events.js';
import {
  SCHEMA,
  SCHEMA_DEPENDENCY,
  schemaVersionOf,
  type KnownSchemaVersion,
} from './schema-version.js';
import type { Settlement } from './settlement.js';
import { stampOf, type Stamp } from './stamp.js';
import type { TokenSource } from './token.js';
import { TrustedEpochs } from './trusted-epochs.js';
import { isInDoubt } from './version-format.js';
import { isValueVersion } from './version-name.js';
import type { TableReading, TableVersionNames, VersionStore } from './version-store.js';

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

/** What is to be read for an answer, and the latest judgement of what was. */
interface Question {
  /** Those of the answer and the schema's. */
  readonly dependencies: readonly TableVersionNames[];
  latest: Judgement | undefined;
  /** That of the latest trusted reading. */
  stamp: Stamp | undefined;
}

interface Judgement {
  readonly reading: Promise<readonly TableReading[]>;
  /** Those seen before the reading was begun. */
  readonly outages: number;
  readonly freshness: Promise<Freshness>;
}

/** Versions of values that a reading has made, each with the token. */
interface NewVersions {
  readonly versions: TableVersionNames;
  readonly token: string;
}

export class FreshnessGate {
  readonly #epochs: TrustedEpochs;
  readonly #questions = new WeakMap<readonly TableVersionNames[], Question>();
  /** Made for a stamp under which nothing has been stored yet. */
  readonly #newVersions = new WeakMap<Stamp, readonly NewVersions[]>();

  constructor(private readonly parts: FreshnessGateParts) {
    this.#epochs = new TrustedEpochs(parts.store, parts.settlement);
  }

  /** Writes may have committed unseen: everything cached before now is distrusted. */
  distrustAll(): void {
    this.#epochs.distrustAll();
  }

  /** Whether this process can speak to others for what the store holds. */
  get isUnbroken(): boolean {
    return this.#epochs.isUnbroken;
  }

  /**
   * Reads the versions and judges them. Never rejects. Calls that the store answers by one and the same
   * reading share the judgement too.
   */
  check(answerDependencies: readonly TableVersionNames[]): Promise<Freshness> {
    const question = this.#questionOf(answerDependencies);
    const { outages } = this.#epochs;
    const reading = this.parts.store.read(question.dependencies);
    const { latest } = question;
    if (latest?.reading === reading && latest.outages === outages) return latest.freshness;
    const freshness = this.#check(question, reading, outages);
    question.latest = { reading, outages, freshness };
    return freshness;
  }

  /** An answer was stored under the stamp for `lifeMs` milliseconds: its versions have to stay as long. */
  stored(stamp: Stamp, answerDependencies: readonly TableVersionNames[], lifeMs: number): void {
    this.#newVersions.delete(stamp);
    for (const { table, names } of answerDependencies) {
      const values = names.filter(isValueVersion);
      // Versions that are gone too early cost a fill.
      if (values.length > 0) {
        this.parts.store.prolong({ table, names: values }, lifeMs).catch(ignore);
      }
    }
  }

  /** An answer under the stamp was not stored: versions that were made for it alone are dropped. */
  notStored(stamp: Stamp): void {
    const made = this.#newVersions.get(stamp) ?? [];
    this.#newVersions.delete(stamp);
    for (const { versions, token } of made) this.parts.store.drop(versions, token).catch(ignore);
  }

  #questionOf(answerDependencies: readonly TableVersionNames[]): Question {
    let question = this.#questions.get(answerDependencies);
    if (!question) {
      const dependencies = [...answerDependencies, SCHEMA_DEPENDENCY];
      question = { dependencies, latest: undefined, stamp: undefined };
      this.#questions.set(answerDependencies, question);
    }
    return question;
  }

  async #check(
    question: Question,
    reading: Promise<readonly TableReading[]>,
    outages: number,
  ): Promise<Freshness> {
    try {
      const readings = await reading;
      const first = await this.#judge(question, readings, outages);
      const isSettling = !first.trusted && first.reason === 'settling';
      if (!isSettling || !(await this.#epochs.repair(readings, outages))) return first;
      const outagesNow = this.#epochs.outages;
      return await this.#judge(
        question,
        await this.parts.store.read(question.dependencies),
        outagesNow,
      );
    } catch {
      return untrusted('unavailable');
    }
  }

  async #judge(
    question: Question,
    read: readonly TableReading[],
    outages: number,
  ): Promise<Freshness> {
    const { dependencies } = question;
    const isTrusted = (reading: TableReading): boolean => this.#epochs.trusts(reading, outages);
    if (read.some(({ node }) => node === undefined)) return untrusted('unavailable');
    if (!read.every(isTrusted)) return untrusted('settling');
    const made: NewVersions[] = [];
    const readings = await this.#createMissing(dependencies, read, made);
    if (readings !== read && !readings.every(isTrusted)) return untrusted('settling');
    const doubtful = dependencies.filter((_, index) => isDoubtful(readings[index]));
    if (doubtful.length > 0) {
      this.#settleInBackground(doubtful);
      return untrusted('in-doubt');
    }
    const schemaReading = readings.find(({ table }) => table === SCHEMA);
    if (!this.parts.schema.isCurrent(schemaVersionOf(schemaReading))) {
      return untrusted('schema-change');
    }
    const stamp = stampOf(dependencies, readings);
    // Entries that carry equal stamps share one text.
    if (question.stamp?.text !== stamp.text) {
      question.stamp = stamp;
      this.#epochs.used(
        dependencies.map(({ table }) => table),
        outages,
      );
    }
    if (made.length > 0) this.#newVersions.set(question.stamp, made);
    return { trusted: true, stamp: question.stamp };
  }

  /** The token of a version that is created matches nothing stored. */
  async #createMissing(
    wanted: readonly TableVersionNames[],
    readings: readonly TableReading[],
    made: NewVersions[],
  ): Promise<readonly TableReading[]> {
    if (!readings.some(isIncomplete)) return readings;
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

  #settleInBackground(doubtful: readonly TableVersionNames[]): void {
    for (const { table, names } of doubtful) {
      // A failure here means an outage of one of the servers; the next reader tries again.
      this.parts.settlement.settleMarks(table, names).catch(ignore);
    }
  }
}

function untrusted(reason: Untrusted): Freshness {
  return { trusted: false, reason };
}

function isIncomplete({ versions }: TableReading): boolean {
  return versions.includes(undefined);
}

/** A version that is still missing belongs to a dimension that a write under way does not know. */
function isDoubtful(reading: TableReading | undefined): boolean {
  return !reading?.versions.every((version) => version !== undefined && !isInDoubt(version));
}

function ignore(): void {
  // An outage, which shows by itself.
}
