import type { Redis } from 'ioredis';
import type { Answer } from '../../redis/redis-connection.options.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { RedisCommandError, RedisUnavailableError } from '../../redis/redis.errors.js';
import {
  VersionStore,
  type ExpiredMark,
  type MarksReport,
  type TableReading,
  type TableVersionNames,
  type WriteMark,
} from '../core/version-store.js';
import { DATA_LOST, type DataCanary } from './data-canary.js';
import type { RedisKeys } from './redis-keys.js';
import { ScriptRunner, type ScriptArguments, type Urgency } from './script-runner.js';
import { abortWrite } from './scripts/abort-write.script.js';
import { beginWrite } from './scripts/begin-write.script.js';
import { createVersions } from './scripts/create-versions.script.js';
import { dropTable } from './scripts/drop-table.script.js';
import { endWrite } from './scripts/end-write.script.js';
import { inspectMarks } from './scripts/inspect-marks.script.js';
import { renewMark } from './scripts/renew-mark.script.js';
import { rotateEpoch } from './scripts/rotate-epoch.script.js';
import type { Script } from './scripts/script.js';
import { settleEpoch } from './scripts/settle-epoch.script.js';
import { settleMark } from './scripts/settle-mark.script.js';
import { dropVersions, prolongVersions } from './scripts/version-life.script.js';
import { TurnBatch, type Answers } from './turn-batch.js';
import { requireWord } from './word.js';

type Values = readonly (string | null)[];
type Wanted = readonly TableVersionNames[];

/** Versions, marks and epochs in Redis, where all instances see them. Rejects with `RedisError`s. */
export class RedisVersionStore extends VersionStore {
  readonly #scripts: ScriptRunner;
  readonly #reads: TurnBatch<Wanted, readonly TableReading[]>;
  readonly #keyLists = new WeakMap<Wanted, readonly string[]>();

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: RedisKeys,
    private readonly canary: DataCanary,
  ) {
    super();
    this.#scripts = new ScriptRunner(connection);
    this.#reads = new TurnBatch(
      (wanted) => this.#readAll(wanted),
      (work) => void connection.writes.atEndOfTurn(async () => work()),
    );
  }

  override read(tables: Wanted): Promise<readonly TableReading[]> {
    return tables.length === 0 ? Promise.resolve([]) : this.#reads.ask(tables);
  }

  override async create({ table, names }: TableVersionNames, token: string): Promise<TableReading> {
    const args = [requireWord(token, 'token'), ...names];
    const { value, node } = await this.#runOn(table, createVersions, args);
    return readingOf(table, node, value as Values);
  }

  override async prolong({ table, names }: TableVersionNames, lifeMs: number): Promise<void> {
    await this.#inBackground(prolongVersions, table, [wholeMs(lifeMs), ...names]);
  }

  override async drop({ table, names }: TableVersionNames, token: string): Promise<void> {
    await this.#inBackground(dropVersions, table, [token, ...names]);
  }

  override async begin(mark: WriteMark, token: string, leaseMs: number): Promise<void> {
    const fixed = [
      requireWord(mark.writeId, 'write id'),
      String(mark.backendPid),
      requireWord(token, 'token'),
      wholeMs(leaseMs),
    ];
    // Urgent: only a Redis that is away now lets a write go on unannounced.
    const begun = mark.tables.map(({ table, names }) =>
      this.#runOn(table, beginWrite, [...fixed, ...names], 'urgent'),
    );
    await this.#forWrite(all([...begun, this.#raiseNumber()]));
  }

  override async end(writeId: string, tables: readonly string[], token: string): Promise<void> {
    const args = [writeId, requireWord(token, 'token')];
    await this.#forWrite(all(tables.map((table) => this.#run(endWrite, table, args))));
  }

  override async abort(writeId: string, tables: readonly string[]): Promise<void> {
    await this.#forWrite(all(tables.map((table) => this.#run(abortWrite, table, [writeId]))));
  }

  override async inspect({ table, names }: TableVersionNames): Promise<MarksReport> {
    const answer = await this.#run(inspectMarks, table, names);
    const [nextMs, ...fields] = answer as [number, ...string[]];
    const expired: ExpiredMark[] = [];
    for (let i = 0; i < fields.length; i += 3) {
      const [writeId = '', backendPid = '', transactionId = ''] = fields.slice(i, i + 3);
      const seenTransactionId = transactionId === '' ? undefined : transactionId;
      expired.push({ writeId, backendPid: Number(backendPid), seenTransactionId });
    }
    return { expired, nextExpiryMs: nextMs < 0 ? undefined : nextMs };
  }

  override async settle(table: string, writeId: string, token: string): Promise<boolean> {
    return this.#did(settleMark, table, [writeId, requireWord(token, 'token')]);
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
    return (await again(ask, () => this.#drop(key))).value;
  }

  override async rotate(
    table: string,
    observed: string | undefined,
    token: string,
  ): Promise<boolean> {
    requireWord(token, 'token');
    const argsFor = (node: string): readonly string[] => [
      token,
      node,
      ...(observed === undefined ? [] : [observed]),
    ];
    const rotated = this.#did(rotateEpoch, table, argsFor);
    await all([rotated, this.#raiseNumber()]);
    return rotated;
  }

  override async settleEpoch(table: string, observed: string): Promise<boolean> {
    // Before the epoch counts, and apart from it: the two may lie on different nodes of a cluster. Where
    // both are lost afterwards, the next epoch is settled as well.
    await this.#register(table);
    return this.#did(settleEpoch, table, [observed]);
  }

  /** Sent behind versions that were replaced: data that hold the number hold them too (data-canary.ts). */
  async #raiseNumber(): Promise<void> {
    const raise = (client: Redis, node: string): Promise<boolean> =>
      this.canary.raise(client, node);
    const { value: isKept } = await this.connection.sendUrgently('EVAL of a number', raise);
    if (!isKept) throw new RedisUnavailableError(DATA_LOST);
  }

  async #register(table: string): Promise<void> {
    const key = this.keys.tables();
    const add = (): Promise<Answer<number>> =>
      this.connection.send('SADD of a table', (client) => client.sadd(key, table));
    await again(add, () => this.#drop(key));
  }

  #drop(key: string): Promise<unknown> {
    return this.connection.send('DEL of a key', (client) => client.del(key));
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

  /** Those of the epoch and of the versions of each table. Lists that come again are remembered. */
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

  /** Where Redis refuses what a write needs, writes commit unannounced: that is an outage. */
  async #forWrite<T>(step: Promise<T>): Promise<T> {
    try {
      return await step;
    } catch (error) {
      if (error instanceof RedisCommandError) this.connection.distrust(error.message);
      throw error;
    }
  }

  async #run(script: Script, table: string, args: ScriptArguments): Promise<unknown> {
    return (await this.#runOn(table, script, args)).value;
  }

  /** Where another client has put something else under a key of the table, the table begins without an epoch. */
  #runOn(
    table: string,
    script: Script,
    args: ScriptArguments,
    urgency?: Urgency,
  ): Promise<Answer<unknown>> {
    const keys = this.keys.ofScript(table);
    const run = (): Promise<Answer<unknown>> => this.#scripts.run(script, keys, args, urgency);
    return again(run, () => this.#scripts.run(dropTable, keys, []));
  }

  /** Nobody waits for it: it leaves with whatever is written next. */
  #inBackground(script: Script, table: string, args: ScriptArguments): Promise<unknown> {
    return this.connection.writes.withNext(() => this.#run(script, table, args));
  }

  async #did(script: Script, table: string, args: ScriptArguments): Promise<boolean> {
    return (await this.#run(script, table, args)) === 1;
  }
}

const EPOCH = /^[\w-]+ \w+(?: settling)?$/;
const VERSION = /^[\w-]+\.[\w-]+[!\w-]*$/;

/** What is no text of ours is missing, as it is for the scripts. */
function readingOf(
  table: string,
  node: string,
  [epoch, ...versions]: readonly (string | null | undefined)[],
): TableReading {
  if (!epoch || !EPOCH.test(epoch)) {
    return { table, node, epoch: undefined, versions: versions.map(() => undefined) };
  }
  const prefix = `${epoch.slice(0, epoch.indexOf(' '))}.`;
  return { table, node, epoch, versions: versions.map((stored) => versionText(stored, prefix)) };
}

/** As the port has it: without the epoch, and only where that is the present one. */
function versionText(stored: string | null | undefined, prefix: string): string | undefined {
  return stored?.startsWith(prefix) && VERSION.test(stored)
    ? stored.slice(prefix.length)
    : undefined;
}

/** Runs a step once more, after what another client has put in its way is gone. */
async function again<T>(step: () => Promise<T>, clear: () => Promise<unknown>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const isOfOtherType = error instanceof RedisCommandError && /\bWRONGTYPE\b/.test(error.message);
    if (!isOfOtherType) throw error;
  }
  await clear();
  return step();
}

/** All at once over one connection; settles when all have, so that no step is still under way. */
async function all(steps: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(steps);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
}

function wholeMs(durationMs: number): string {
  return String(Math.ceil(durationMs));
}
