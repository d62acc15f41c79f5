import type { Answer, RedisLink } from './connection/redis-link.js';
import { RedisCommandError, RedisUnavailableError } from './connection/redis.errors.js';
import {
  VersionStore,
  type ExpiredMark,
  type MarksReport,
  type StandingMark,
  type TableReading,
  type TableVersionNames,
  type WriteMark,
} from '../core/ports/version-store.js';
import { SETTLING } from '../core/versions.js';
import { DATA_LOST, type DataCanary } from './data-canary.js';
import type { RedisKeys } from './redis-keys.js';
import { beginWrite } from './scripts/begin-write.script.js';
import { createVersions } from './scripts/create-versions.script.js';
import { dropVersions } from './scripts/drop-versions.script.js';
import { inspectMarks } from './scripts/inspect-marks.script.js';
import { listMarks } from './scripts/list-marks.script.js';
import { renewMark } from './scripts/renew-mark.script.js';
import { replaceEpoch } from './scripts/replace-epoch.script.js';
import { runScript, type Script, type Way } from './scripts/script.js';
import { takeOffMark } from './scripts/take-off-mark.script.js';
import { settledSteps } from '../core/buckets.js';
import { BatchLoader, type Answers } from '../core/memory/batch-loader.js';

type Values = readonly (string | null | undefined)[];
type Wanted = readonly TableVersionNames[];

const KEPT = '';

/** Versions, marks and epochs in Redis, shared by all instances. Rejects with `RedisError`s. */
export class RedisVersionStore extends VersionStore {
  readonly #reads: BatchLoader<Wanted, readonly TableReading[]>;
  readonly #keyLists = new WeakMap<Wanted, readonly string[]>();

  constructor(
    private readonly connection: RedisLink,
    private readonly keys: RedisKeys,
    private readonly canary: DataCanary,
  ) {
    super();
    this.#reads = new BatchLoader(
      (wanted) => this.#readAll(wanted),
      (work) => void connection.writes.atEndOfTurn(async () => work()),
    );
  }

  /** One server has all tables. */
  override get buckets(): number {
    return 1;
  }

  override bucketOf(_table: string): number {
    return 0;
  }

  override read(tables: Wanted): Promise<readonly TableReading[]> {
    return tables.length === 0 ? Promise.resolve([]) : this.#reads.ask(tables);
  }

  override async create({ table, names }: TableVersionNames, token: string): Promise<TableReading> {
    const args = [token, ...names];
    const { value, node } = await this.#run(createVersions, table, args);
    return readingOf(table, node, value as Values);
  }

  override async prolong({ table, names }: TableVersionNames, lifeMs: number): Promise<void> {
    const keys = names.map((name) => this.keys.version(table, name));
    // A marked version has no time to live, and `GT` keeps it so.
    await this.connection.writes.withNext(() =>
      this.connection.send('PEXPIRE of versions', (client) =>
        Promise.all(keys.map((key) => client.pexpire(key, wholeMs(lifeMs), 'GT'))),
      ),
    );
  }

  override async drop({ table, names }: TableVersionNames, token: string): Promise<void> {
    await this.connection.writes.withNext(() => this.#run(dropVersions, table, [token, ...names]));
  }

  override async begin(mark: WriteMark, token: string, leaseMs: number): Promise<void> {
    const fixed = [mark.writeId, String(mark.backendPid), token, wholeMs(leaseMs)];
    // A write may commit unpublished only if Redis is unavailable now, so `begin` reconnects first.
    const begun = mark.tables.map(({ table, names }) =>
      this.#run(beginWrite, table, [...fixed, ...names], 'sendAfterReconnect'),
    );
    await this.#allForWrite([...begun, this.#raiseNumber()]);
  }

  override async end(writeId: string, tables: readonly string[], token: string): Promise<void> {
    const args = [writeId, token];
    await this.#allForWrite(tables.map((table) => this.#run(takeOffMark, table, args)));
  }

  override async abort(writeId: string, tables: readonly string[]): Promise<void> {
    const args = [writeId, KEPT];
    await this.#allForWrite(tables.map((table) => this.#run(takeOffMark, table, args)));
  }

  override async inspect({ table, names }: TableVersionNames): Promise<MarksReport> {
    const { value } = await this.#run(inspectMarks, table, names);
    const [nextMs, ...fields] = value as [number, ...string[]];
    const expired: ExpiredMark[] = [];
    for (let i = 0; i < fields.length; i += 3) {
      const [writeId = '', backendPid = '', transactionId = ''] = fields.slice(i, i + 3);
      const seenTransactionId = transactionId === '' ? undefined : transactionId;
      expired.push({ writeId, backendPid: Number(backendPid), seenTransactionId });
    }
    return { expired, nextExpiryMs: nextMs < 0 ? undefined : nextMs };
  }

  override async marks(table: string): Promise<readonly StandingMark[]> {
    const { value } = await this.#run(listMarks, table, []);
    return (value as readonly [string, string, number][]).map(
      ([writeId, backendPid, leaseLeftMs]) => ({
        writeId,
        backendPid: Number(backendPid),
        leaseLeftMs,
      }),
    );
  }

  override async settle(table: string, writeId: string, token: string): Promise<boolean> {
    return this.#did(takeOffMark, table, [writeId, token, 'expired']);
  }

  override async renew(
    table: string,
    writeId: string,
    transactionId: string,
    leaseMs: number,
  ): Promise<void> {
    await this.#run(renewMark, table, [writeId, transactionId, wholeMs(leaseMs)]);
  }

  override async tables(): Promise<readonly string[]> {
    const key = this.keys.tables();
    const ask = (): Promise<Answer<string[]>> =>
      this.connection.send('SMEMBERS of tables', (client) => client.smembers(key));
    return (await this.#clearing([key], ask)).value;
  }

  override async rotate(
    table: string,
    observed: string | undefined,
    token: string,
  ): Promise<boolean> {
    // If another server runs the script, its readers distrust the epoch, which names this server.
    const epoch = `${token} ${this.connection.node ?? 'none'}${SETTLING}`;
    const rotated = this.#did(replaceEpoch, table, [observed ?? '', epoch, token]);
    await settledSteps([rotated, this.#raiseNumber()]);
    return rotated;
  }

  override async settleEpoch(table: string, observed: string): Promise<boolean> {
    if (!observed.endsWith(SETTLING)) return false;
    // Runs before the epoch counts, and as a separate command: in a cluster the two may be on different nodes. If both
    // are lost later, the next epoch is settled too.
    const key = this.keys.tables();
    await this.#clearing([key], () =>
      this.connection.send('SADD of a table', (client) => client.sadd(key, table)),
    );
    return this.#did(replaceEpoch, table, [observed, observed.slice(0, -SETTLING.length)]);
  }

  /** Sent after the replaced versions: data that contain the number contain them too (data-canary.ts). */
  async #raiseNumber(): Promise<void> {
    const { value: isKept } = await this.connection.sendAfterReconnect(
      'EVAL of a number',
      (client, node) => this.canary.raise(client, node),
    );
    if (!isKept) throw new RedisUnavailableError(DATA_LOST);
  }

  async #readAll(wanted: readonly Wanted[]): Promise<Answers<Wanted, readonly TableReading[]>> {
    const places = new Map<string, number>();
    for (const tables of wanted) {
      for (const key of this.#keysOf(tables)) if (!places.has(key)) places.set(key, places.size);
    }
    const { confirmed, key: numberKey } = this.canary;
    const { value, node } = await this.connection.send('MGET of versions', (client) =>
      client.mget([...places.keys(), numberKey]),
    );
    this.canary.requireKept(value[places.size], node, confirmed);
    return (tables) => {
      const keys = this.#keysOf(tables);
      let next = 0;
      const take = (): string | null | undefined => value[places.get(keys[next++] ?? '') ?? -1];
      return tables.map(({ table, names }) => readingOf(table, node, [take(), ...names.map(take)]));
    };
  }

  /** The keys of the epoch and of the versions of each table. Remembered per list object. */
  #keysOf(tables: Wanted): readonly string[] {
    let keys = this.#keyLists.get(tables);
    if (!keys) {
      keys = tables.flatMap(({ table, names }) => [
        this.keys.epoch(table),
        ...names.map((name) => this.keys.version(table, name)),
      ]);
      this.#keyLists.set(tables, keys);
    }
    return keys;
  }

  /** If Redis refuses a command that a write needs, writes commit unpublished: that is an outage. */
  async #allForWrite(steps: readonly Promise<unknown>[]): Promise<void> {
    try {
      await settledSteps(steps);
    } catch (error) {
      if (error instanceof RedisCommandError) this.connection.distrust(error.message);
      throw error;
    }
  }

  /** If another client has put another type under a key of the table, the table starts again without an epoch. */
  #run(
    script: Script,
    table: string,
    args: readonly string[],
    way?: Way,
  ): Promise<Answer<unknown>> {
    const keys = this.keys.ofScript(table);
    return this.#clearing(keys, () => runScript(this.connection, script, keys, args, way));
  }

  async #did(script: Script, table: string, args: readonly string[]): Promise<boolean> {
    return (await this.#run(script, table, args)).value === 1;
  }

  /**
   * Runs a step. If one of the keys holds another type than the step expects, deletes the keys and runs it once more.
   */
  async #clearing<T>(keys: readonly string[], step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      const isOfOtherType =
        error instanceof RedisCommandError && /\bWRONGTYPE\b/.test(error.message);
      if (!isOfOtherType) throw error;
    }
    await this.connection.send('DEL of keys', (client) => client.del(...keys));
    return step();
  }
}

const EPOCH = /^[\w-]+ \w+(?: settling)?$/;
const VERSION = /^[\w-]+\.[\w-]+[!\w-]*$/;

/** A text of another form counts as missing, as in the scripts. */
function readingOf(table: string, node: string, [epoch, ...versions]: Values): TableReading {
  if (!epoch || !EPOCH.test(epoch)) {
    return { table, node, epoch: undefined, versions: versions.map(() => undefined) };
  }
  const prefix = `${epoch.slice(0, epoch.indexOf(' '))}.`;
  return { table, node, epoch, versions: versions.map((stored) => versionText(stored, prefix)) };
}

/** The version as the port defines it: without the epoch, and only if it belongs to the current one. */
function versionText(stored: string | null | undefined, prefix: string): string | undefined {
  return stored?.startsWith(prefix) && VERSION.test(stored)
    ? stored.slice(prefix.length)
    : undefined;
}

function wholeMs(durationMs: number): string {
  return String(Math.ceil(durationMs));
}
