/**
 * One client that writes to a separate territory, one write after another, over any instance.
 *
 * If the outcome of a write is unknown, the writer looks for its rows in the database, past every cache. While they are
 * not there and may still come, it writes nothing else; after {@link PATIENCE_MS} it leaves the territory and starts a
 * new one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { HttpConnection, NoAnswerError, type Cut, type HttpAnswer } from './http-connection.js';
import { isEqual, Territory, type StoredRow } from './territory.js';
import type { Member } from './member.js';
import type { Target } from './checker.js';
import type { RunContext } from './run-context.js';
import type { SeededRandom } from './seeded-random.js';
import { planWrite, type WritePlan } from './write-plan.js';

const REQUEST_LIMIT_MS = 30_000;
const PATIENCE_MS = 4_000;
const POLL_MS = 40;
const DATABASE_LIMIT_MS = 60_000;
/** Territories that were left and are still read. */
const KEPT_RUINS = 3;

type Outcome = 'happened' | 'turned down' | 'unknown';

export class Writer {
  readonly #connections = new Map<Member, HttpConnection>();
  #territory: Territory;
  #founded = 0;
  #nextCut: Cut | undefined;
  #restsUntilMs = 0;

  constructor(
    private readonly index: number,
    private readonly context: RunContext,
    private readonly random: SeededRandom,
    /** Longest pause between two writes, in milliseconds. */
    private readonly pauseMs: number,
  ) {
    this.#territory = this.#found();
  }

  async run(): Promise<void> {
    const { stopping, nowMs } = this.context;
    while (!stopping.aborted) {
      await delay(this.random.next() * this.pauseMs);
      if (nowMs() < this.#restsUntilMs) {
        await delay(POLL_MS);
        continue;
      }
      const member = this.random.pick(this.context.system.members);
      const { port } = member;
      if (port === undefined) continue;
      await this.#write(member, port, planWrite(this.random, this.#territory));
    }
    for (const connection of this.#connections.values()) connection.close();
  }

  /** Begins no write before this moment, in milliseconds of the monotonic clock. */
  restUntil(momentMs: number): void {
    this.#restsUntilMs = momentMs;
  }

  /** The next write's client breaks off its request. */
  cutNext(cut: Cut): void {
    this.#nextCut = cut;
  }

  get hasCutAhead(): boolean {
    return this.#nextCut !== undefined;
  }

  #found(): Territory {
    const { territories, checker } = this.context;
    this.#founded += 1;
    const territory = new Territory(`w${this.index}x${this.#founded}`);
    checker.add(territory);
    territories.push(territory);
    return territory;
  }

  async #write(member: Member, port: number, plan: WritePlan): Promise<void> {
    const { journal, figures, nowMs, hot } = this.context;
    const territory = this.#territory;
    const { session } = member;
    const note = journal.add(territory.name, {
      kind: plan.kind,
      request: `${plan.method} ${plan.path} ${JSON.stringify(plan.body) ?? ''}`.trim(),
      via: session,
      state: plan.next && territory.history.ceiling + 1,
      sentMs: nowMs(),
      endedMs: undefined,
      outcome: 'under way',
    });
    if (plan.next) territory.propose(plan.next, nowMs());
    const written = targetsOf(territory, plan);
    hot.add(written);
    const { outcome, detail, body } = await this.#send(member, port, plan);
    note.endedMs = nowMs();
    note.outcome = detail;
    figures.writes.add(plan.kind);
    figures.outcomes.add(outcome);
    if (!plan.next) return;
    if (outcome === 'happened') await this.#acknowledge(territory, plan, body);
    else if (outcome === 'turned down') this.context.checker.revoke(territory, note.request);
    else note.outcome = `${detail}; ${await this.#resolve(territory, session)}`;
    hot.add(written);
  }

  /** The request and what its answer says about the write. */
  async #send(
    member: Member,
    port: number,
    plan: WritePlan,
  ): Promise<{ outcome: Outcome; detail: string; body: string }> {
    const cut = this.#nextCut;
    this.#nextCut = undefined;
    try {
      const connection = this.#connections.get(member) ?? new HttpConnection();
      this.#connections.set(member, connection);
      const answer = await connection.request(port, requestOf(plan), REQUEST_LIMIT_MS, cut);
      return this.#classify(plan, answer);
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      if (error.cause === 'late') this.#tellLate(member, plan);
      const outcome = error.mayHaveArrived ? 'unknown' : 'turned down';
      return { outcome, detail: error.message, body: '' };
    }
  }

  #classify(
    plan: WritePlan,
    { status, body }: HttpAnswer,
  ): { outcome: Outcome; detail: string; body: string } {
    const text = body.toString();
    const detail = `${status}`;
    if (status === plan.status && plan.isRight(text)) {
      return { outcome: plan.next ? 'happened' : 'turned down', detail, body: text };
    }
    const answered = `${status} ${text}`;
    if (status === 503 && text.includes('write-refused')) {
      return { outcome: 'turned down', detail: 'refused by policy', body: text };
    }
    // Any other answer leaves the outcome unknown.
    if (status < 500) {
      const wrong = `A write was answered wrongly: ${plan.kind} ${plan.path}: ${answered}`;
      this.context.violated({ territory: this.#territory.name, text: wrong });
    } else if (!this.context.figures.wasFaultWithin(10_000)) {
      this.context.figures.oddities.push(`${plan.kind} ${plan.path}: ${answered}`);
    }
    return { outcome: 'unknown', detail: answered, body: text };
  }

  async #acknowledge(territory: Territory, plan: WritePlan, body: string): Promise<void> {
    if (plan.kind === 'create') {
      const { id, username } = JSON.parse(body) as StoredRow;
      this.context.checker.addIds(territory, new Map([[username, id]]));
    }
    // Acknowledged from here on, whatever ids it has given.
    territory.history.acknowledge();
    if (plan.kind === 'batch') await this.#addIds(territory);
    territory.settle();
  }

  /** Asks the database until it answers. */
  async #addIds(territory: Territory): Promise<void> {
    const endMs = this.context.nowMs() + DATABASE_LIMIT_MS;
    for (;;) {
      try {
        const rows = await this.context.system.database.rowsOf(territory.regions);
        const ids = new Map(rows.map(({ id, username }) => [username, id]));
        return this.context.checker.addIds(territory, ids);
      } catch (error) {
        if (this.context.nowMs() > endMs) throw error;
        await delay(POLL_MS);
      }
    }
  }

  async #resolve(territory: Territory, session: string): Promise<string> {
    const { checker, stopping, nowMs } = this.context;
    let endMs = nowMs() + PATIENCE_MS;
    while (nowMs() < endMs) {
      const found = await this.#rowsOf(territory, session);
      // The database is away: the outcome is unknown, so the time does not count.
      if (!found && !stopping.aborted) endMs = nowMs() + PATIENCE_MS;
      if (found && isEqual(found.rows, territory.next ?? [])) {
        checker.addIds(territory, new Map(found.rows.map(({ id, username }) => [username, id])));
        territory.history.acknowledge();
        territory.settle();
        return 'found in the database';
      }
      if (found?.isOver === true) {
        checker.revoke(territory, 'its instance is dead and the database does not have it');
        return 'proven not to have happened';
      }
      await delay(POLL_MS);
    }
    this.#leave();
    return 'left open';
  }

  /** The rows in the database, and whether the write could no longer change them before they were read. */
  async #rowsOf(
    territory: Territory,
    session: string,
  ): Promise<{ isOver: boolean; rows: StoredRow[] } | undefined> {
    const { system } = this.context;
    try {
      const isOver = await system.isGone(session);
      return { isOver, rows: await system.database.rowsOf(territory.regions) };
    } catch {
      return undefined;
    }
  }

  #leave(): void {
    const { territories, figures } = this.context;
    figures.abandoned += 1;
    this.#territory = this.#found();
    const mine = territories.filter(({ name }) => name.startsWith(`w${this.index}x`));
    if (mine.length > KEPT_RUINS + 1)
      territories.splice(territories.indexOf(mine[0] as Territory), 1);
  }

  #tellLate(member: Member, plan: WritePlan): void {
    if (member.isPaused) return;
    this.context.figures.hangs.push(`${plan.method} ${plan.path} over instance ${member.index}`);
  }
}

function requestOf({ method, path, body }: WritePlan): string {
  const payload = body === undefined ? '' : JSON.stringify(body);
  const type = body === undefined ? '' : 'content-type: application/json\r\n';
  const head = `${method} ${path} HTTP/1.1\r\nhost: checked\r\n${type}`;
  return `${head}content-length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`;
}

/** Reads of everything the write may change. */
function targetsOf(territory: Territory, plan: WritePlan): Target[] {
  if (!plan.next) return [];
  const before = new Map(territory.rows.map((row) => [row.id, row]));
  const changed = plan.next.filter((row) => row.id !== undefined && before.get(row.id) !== row);
  const kept = new Set(plan.next.map(({ id }) => id));
  const gone = territory.rows.filter(({ id }) => !kept.has(id));
  const added = plan.next.filter(({ id }) => id === undefined);
  const users = [...changed, ...gone].slice(0, 3);
  const images = [...changed, ...added, ...gone, ...changed.map(({ id }) => before.get(id ?? 0))];
  const regions = new Set(images.flatMap((row) => (row ? [row.region] : [])));
  return [
    ...[...regions].map((region): Target => ({ kind: 'list', territory, region })),
    ...users.map(({ id }): Target => ({ kind: 'user', id: id as number })),
  ];
}
