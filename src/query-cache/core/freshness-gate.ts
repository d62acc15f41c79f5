/**
 * The gate every read passes: are the dependencies free of doubt, and under which stamp?
 *
 * The versions are read after the request arrived. Where nothing can be trusted (the epoch is
 * missing, of another server process, settling, or older than an outage this process has seen; a
 * write is marked; the schema has changed; the store does not answer) the gate says so and sets
 * the repair going, and the caller asks the database without storing.
 */
import type { BypassReason } from './cache-events.js';
import type { Timers } from './clock.js';
import type { TableDependency } from './dependency.js';
import {
  SCHEMA,
  SCHEMA_DEPENDENCY,
  schemaVersionOf,
  type KnownSchemaVersion,
} from './schema-version.js';
import type { Settlement } from './settlement.js';
import { stampsOf, type Stamps } from './stamp.js';
import type { TokenSource } from './token.js';
import { isValueVersion } from './version-name.js';
import { isInDoubt, parseEpoch } from './version-format.js';
import type { TableReading, TableVersionNames, VersionStore } from './version-store.js';
import { WaitingGroups } from './waiting-groups.js';

export type Freshness =
  | { readonly trusted: true; readonly stamps: Stamps }
  | {
      readonly trusted: false;
      readonly reason: Extract<
        BypassReason,
        'in-doubt' | 'settling' | 'unavailable' | 'schema-change'
      >;
    };

const TRUST_NOTHING: Freshness = { trusted: false, reason: 'unavailable' };
const SETTLING: Freshness = { trusted: false, reason: 'settling' };
const IN_DOUBT: Freshness = { trusted: false, reason: 'in-doubt' };
const SCHEMA_CHANGE: Freshness = { trusted: false, reason: 'schema-change' };

/** What is to be read for an answer, and the latest judgement of what was. */
interface Question {
  /** Those of the answer and the schema's. */
  readonly dependencies: readonly TableDependency[];
  readonly wanted: readonly TableVersionNames[];
  latest: Judgement | undefined;
  /** Those of the latest trusted reading. */
  stamps: Stamps | undefined;
}

interface Judgement {
  readonly reading: Promise<readonly TableReading[]>;
  /** Those seen before the reading was begun. */
  readonly outages: number;
  readonly freshness: WaitingGroups<Freshness>;
}

/** Versions of values that a reading has made, each with the token. */
interface NewVersions {
  readonly versions: TableVersionNames;
  readonly token: string;
}

export class FreshnessGate {
  #outages = 0;
  readonly #questions = new WeakMap<readonly TableDependency[], Question>();
  /** Of the tables that were trusted: the outages seen before. */
  readonly #trustedSinceOutage = new Map<string, number>();
  /** Made for stamps under which nothing has been stored yet. */
  readonly #newVersions = new WeakMap<Stamps, readonly NewVersions[]>();

  constructor(
    private readonly store: VersionStore,
    private readonly settlement: Settlement,
    private readonly schema: KnownSchemaVersion,
    private readonly token: TokenSource,
    private readonly timers: Timers,
  ) {}

  /** Writes may have committed unseen: everything cached before now is distrusted. */
  distrustAll(): void {
    this.#outages += 1;
  }

  /**
   * Whether this process can speak to others for what the store holds: the epoch that is part of
   * every stamp has been replaced since the last outage, or none was seen.
   */
  get isUnbroken(): boolean {
    return (this.#trustedSinceOutage.get(SCHEMA) ?? 0) === this.#outages;
  }

  /**
   * Reads the versions and judges them. Never rejects. Calls that the store answers by one and the same
   * reading share the judgement too.
   */
  check(answerDependencies: readonly TableDependency[]): Promise<Freshness> {
    const question = this.#questionOf(answerDependencies);
    const outages = this.#outages;
    const reading = this.store.read(question.wanted);
    const { latest } = question;
    if (latest?.reading === reading && latest.outages === outages) return latest.freshness.join();
    const judged = this.#check(question, reading, outages);
    const freshness = new WaitingGroups(judged, this.timers);
    question.latest = { reading, outages, freshness };
    return freshness.join();
  }

  /** An answer was stored under the stamps for `lifeMs` milliseconds: its versions have to stay as long. */
  stored(stamps: Stamps, answerDependencies: readonly TableDependency[], lifeMs: number): void {
    this.#newVersions.delete(stamps);
    for (const dependency of answerDependencies) {
      const { table, names } = versionNamesOf(dependency);
      const values = names.filter(isValueVersion);
      // Versions that are gone too early cost a fill.
      if (values.length > 0) this.store.prolong({ table, names: values }, lifeMs).catch(ignore);
    }
  }

  /** An answer under the stamps was not stored: versions that were made for it alone are dropped. */
  notStored(stamps: Stamps): void {
    const made = this.#newVersions.get(stamps) ?? [];
    this.#newVersions.delete(stamps);
    for (const { versions, token } of made) this.store.drop(versions, token).catch(ignore);
  }

  #questionOf(answerDependencies: readonly TableDependency[]): Question {
    let question = this.#questions.get(answerDependencies);
    if (!question) {
      const dependencies = [...answerDependencies, SCHEMA_DEPENDENCY];
      question = {
        dependencies,
        wanted: dependencies.map(versionNamesOf),
        latest: undefined,
        stamps: undefined,
      };
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
      if (first !== SETTLING || !(await this.#repairEpochs(readings, outages))) return first;
      const outagesNow = this.#outages;
      return await this.#judge(question, await this.store.read(question.wanted), outagesNow);
    } catch {
      return TRUST_NOTHING;
    }
  }

  async #judge(
    question: Question,
    read: readonly TableReading[],
    outages: number,
  ): Promise<Freshness> {
    const { dependencies, wanted } = question;
    let readings = read;
    if (readings.some(({ node }) => node === undefined)) return TRUST_NOTHING;
    if (readings.some((reading) => !this.#isEpochTrusted(reading, outages))) return SETTLING;
    const made: NewVersions[] = [];
    if (readings.some(({ versions }) => versions.includes(undefined))) {
      readings = await this.#createMissing(wanted, readings, made);
      if (readings.some((reading) => !this.#isEpochTrusted(reading, outages))) return SETTLING;
    }
    // What is still missing belongs to a dimension that a write under way does not know.
    const doubtful = readings.filter(({ versions }) =>
      versions.some((version) => version === undefined || isInDoubt(version)),
    );
    if (doubtful.length > 0) {
      this.#settleInBackground(wanted, doubtful);
      return IN_DOUBT;
    }
    const schemaReading = readings.find(({ table }) => table === SCHEMA);
    if (!this.schema.isCurrent(schemaVersionOf(schemaReading))) return SCHEMA_CHANGE;
    const stamps = stampsOf(dependencies, readings);
    // Entries that carry equal stamps share one text.
    if (question.stamps?.withInserts !== stamps.withInserts) {
      question.stamps = stamps;
      for (const { table } of dependencies) {
        if (!this.#trustedSinceOutage.has(table)) this.#trustedSinceOutage.set(table, outages);
      }
    }
    if (made.length > 0) this.#newVersions.set(question.stamps, made);
    return { trusted: true, stamps: question.stamps };
  }

  #isEpochTrusted({ table, epoch, node }: TableReading, outages: number): boolean {
    if (epoch === undefined || (this.#trustedSinceOutage.get(table) ?? 0) !== outages) return false;
    const parsed = parseEpoch(epoch);
    return parsed.node === node && !parsed.isSettling;
  }

  /** Answers whether all the epochs may count by now. */
  async #repairEpochs(readings: readonly TableReading[], outages: number): Promise<boolean> {
    const untrusted = readings.filter((reading) => !this.#isEpochTrusted(reading, outages));
    const repairs = untrusted.map((reading) => this.#repairEpoch(reading, outages));
    return !(await Promise.all(repairs)).includes(false);
  }

  async #repairEpoch({ table, epoch, node }: TableReading, outages: number): Promise<boolean> {
    const parsed = epoch === undefined ? undefined : parseEpoch(epoch);
    const isBeforeOutage = (this.#trustedSinceOutage.get(table) ?? 0) !== outages;
    let present = epoch;
    if (epoch === undefined || parsed?.node !== node || isBeforeOutage) {
      const isLost = !isBeforeOutage && this.#trustedSinceOutage.has(table);
      const missing = isLost ? 'lost' : 'missing';
      const cause = epoch === undefined ? missing : parsed?.node !== node ? 'other-node' : 'outage';
      await this.settlement.replaceEpoch(table, epoch, cause);
      // Either this call replaced the epoch or another one did after it was read: both are newer
      // than the outage.
      this.#trustedSinceOutage.set(table, outages);
      const [now] = await this.store.read([{ table, names: [] }]);
      present = now?.epoch;
    }
    if (present === undefined || !parseEpoch(present).isSettling) return true;
    return this.settlement.settleEpoch(table, present);
  }

  /** A missing version is created anew; its token can match nothing stored. */
  async #createMissing(
    wanted: readonly TableVersionNames[],
    readings: readonly TableReading[],
    made: NewVersions[],
  ): Promise<readonly TableReading[]> {
    return Promise.all(
      readings.map(async (reading, index) => {
        const versions = wanted[index];
        if (!versions || !reading.versions.includes(undefined)) return reading;
        const token = this.token();
        const created = await this.store.create(versions, token);
        const names = versions.names.filter(
          (name, position) => isValueVersion(name) && created.versions[position] === token,
        );
        if (names.length > 0) made.push({ versions: { table: versions.table, names }, token });
        return created;
      }),
    );
  }

  #settleInBackground(
    wanted: readonly TableVersionNames[],
    doubtful: readonly TableReading[],
  ): void {
    for (const { table } of doubtful) {
      const names = wanted.find((versions) => versions.table === table)?.names ?? [];
      // A failure here means an outage of one of the servers; the next reader tries again.
      this.settlement.settleMarks(table, names).catch(() => undefined);
    }
  }
}

function ignore(): void {
  // An outage, which shows by itself.
}

function versionNamesOf({ table, names, insertName }: TableDependency): TableVersionNames {
  return { table, names: insertName === undefined ? names : [...names, insertName] };
}
