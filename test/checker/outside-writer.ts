/**
 * A client that writes past the service, over a separate connection to the database, and measures
 * after each write how long every instance takes to show it.
 *
 * The promise for such writes is that none is lost and that they are seen soon; so they are not in
 * the histories, which are never stale. An instance that has shown a write must not show an earlier
 * one again.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { HttpConnection, NoAnswerError } from './http-connection.js';
import type { Member } from './member.js';
import type { RunContext } from './run-context.js';
import type { SeededRandom } from './seeded-random.js';

/** Regions that begin so belong to no territory. */
export const OUTSIDE_PREFIX = 'outside';
/** No id that the service gives within a run. */
const FIRST_ID = 2_147_000_000;
const REQUEST_LIMIT_MS = 30_000;
/** Pauses between two reads of one instance: short at first for precision, later long to save load. */
const MIN_POLL_MS = 1;
const MAX_POLL_MS = 50;
const RETRY_MS = 100;
/** After this time without a fault a write that is not shown counts as lost. */
const LOST_AFTER_MS = 30_000;

export class OutsideWriter {
  readonly #id: number;
  readonly #connections = new Map<Member, HttpConnection>();
  /** The highest number each process of an instance has shown. */
  readonly #shown = new Map<string, number>();
  #number = 0;

  constructor(
    index: number,
    private readonly context: RunContext,
    private readonly random: SeededRandom,
    /** Longest pause between two writes, in milliseconds. */
    private readonly pauseMs: number,
  ) {
    this.#id = FIRST_ID + index;
  }

  async run(): Promise<void> {
    const { stopping } = this.context;
    while (!stopping.aborted) {
      await delay(this.random.next() * this.pauseMs);
      if (await this.#write()) await this.#follow();
    }
    for (const connection of this.#connections.values()) connection.close();
  }

  /** Returns whether the write is known to have happened. */
  async #write(): Promise<boolean> {
    const client = new pg.Client({ connectionString: this.context.system.databaseUrl });
    client.on('error', () => undefined);
    try {
      await client.connect();
      this.#number += 1;
      await client.query(
        `INSERT INTO users (id, username, region, email) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.email`,
        [this.#id, `${OUTSIDE_PREFIX}${this.#id}`, `${OUTSIDE_PREFIX}-a`, `${this.#number}@ex.com`],
      );
      return true;
    } catch {
      // The database is away, or was made to end its sessions.
      await delay(RETRY_MS);
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async #follow(): Promise<void> {
    const { system, figures, nowMs } = this.context;
    const committedMs = nowMs();
    await Promise.all(system.members.map((member) => this.#seenBy(member, committedMs)));
    figures.outsideWrites += 1;
  }

  async #seenBy(member: Member, committedMs: number): Promise<void> {
    const { figures, nowMs, stopping } = this.context;
    const pauseMs = (): number => Math.min(MAX_POLL_MS, MIN_POLL_MS + (nowMs() - committedMs) / 10);
    for (let patienceMs = nowMs(); ; await delay(pauseMs())) {
      const number = await this.#ask(member);
      if (number !== undefined && number >= this.#number) {
        figures.outsideLagsMs.push(nowMs() - committedMs);
        return;
      }
      if (stopping.aborted) return;
      if (number === undefined || figures.wasFaultWithin(1_000)) patienceMs = nowMs();
      if (nowMs() - patienceMs > LOST_AFTER_MS) {
        figures.outsideLost += 1;
        const text = `Instance ${member.index} does not show a write from outside: ${number} of ${this.#number}`;
        this.context.violated({ territory: undefined, text });
        return;
      }
    }
  }

  /** The number an instance shows; `undefined` where it does not answer. */
  async #ask(member: Member): Promise<number | undefined> {
    const { port, session } = member;
    if (port === undefined) return undefined;
    const connection = this.#connections.get(member) ?? new HttpConnection();
    this.#connections.set(member, connection);
    const request = `GET /users/${this.#id} HTTP/1.1\r\nhost: checked\r\n\r\n`;
    const sentAtMs = this.context.nowMs();
    try {
      const { status, body } = await connection.request(port, request, REQUEST_LIMIT_MS);
      if (status !== 200) return status === 404 ? 0 : undefined;
      const { email } = JSON.parse(body.toString()) as { email: string };
      return this.#noted(session, Number(email.split('@')[0]), sentAtMs);
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      return undefined;
    }
  }

  #noted(session: string, number: number, sentAtMs: number): number {
    const before = this.#shown.get(session) ?? 0;
    const { figures, nowMs } = this.context;
    const span = { fromMs: sentAtMs, untilMs: nowMs() };
    if (number < before && !figures.bounds.allow(span)) {
      const text = `${session} has shown write ${before} from outside, and now shows ${number}`;
      this.context.violated({ territory: undefined, text });
    }
    this.#shown.set(session, Math.max(before, number));
    return number;
  }
}
