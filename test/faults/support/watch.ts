/**
 * Reads a register on every instance, all the time, and records each violation of the promise: an answer older than the
 * number stored before the request was sent, an answer never stored, and a request that is not answered in time. A write
 * past the service counts once its row has left the outbox.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../../e2e/support/answer.js';
import { isLong } from '../../support/long-tests.js';
import type { FaultCluster } from './fault-cluster.js';
import type { Member } from './member.js';
import type { Register, View } from './register.js';

/**
 * Time limit of a request. It may wait five seconds for a connection to the database or another's fill; the rest is for
 * a busy machine.
 */
const ANSWER_LIMIT_MS = 20_000;
/** Leaves the machine time for what is being watched. */
const PAUSE_MS = isLong ? 25 : 50;

/** Enough to see what is wrong. */
const MAX_VIOLATIONS = 20;
/** The answers of the service when its database is away. */
const AWAY = 503;

export class Watch {
  readonly violations: string[] = [];
  readonly #loops: Promise<void>[];
  readonly #reads = new Map<Member, number>();
  #isOver = false;
  /** The highest number read in the database that every instance has to show. */
  #committed = 0;

  constructor(
    private readonly cluster: FaultCluster,
    private readonly register: Register,
  ) {
    this.#loops = cluster.members.map((member) => this.#keepReading(member));
  }

  /** The number of requests that the instance has answered. */
  readsOf(member: Member): number {
    return this.#reads.get(member) ?? 0;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #keepReading(member: Member): Promise<void> {
    for (let turn = 0; !this.#isOver; turn += 1) {
      const { views } = this.register;
      const view = views[turn % views.length];
      if (view && member.isRunning) await this.#readOnce(member, view);
      await delay(PAUSE_MS);
    }
  }

  async #readOnce(member: Member, view: View): Promise<void> {
    const { troubles } = member;
    await this.#askDatabase();
    const least = this.#committed;
    let answer: Answer;
    try {
      answer = await this.#inTime(member, view);
    } catch (error) {
      // One that was killed or stopped meanwhile cannot have answered.
      if (member.troubles === troubles) this.#violated(member, view, String(error));
      return;
    }
    const most = (await this.#askDatabase()) ?? this.register.highest;
    this.#reads.set(member, this.readsOf(member) + 1);
    if (answer.status === AWAY) return;
    const numbers = Array.from({ length: most - least + 1 }, (_, index) => least + index);
    if (answer.status === 200 && numbers.some((number) => view.shows(answer, number))) return;
    this.#violated(
      member,
      view,
      `${least}..${most} was stored, answered ${answer.status} ${answer.body.toString()} ` +
        `(${answer.headers['cache-status']})`,
    );
  }

  /** The number in the database now; `undefined` while it is away. */
  async #askDatabase(): Promise<number | undefined> {
    try {
      const { number, isPending } = await this.register.holding();
      if (!isPending) this.#committed = Math.max(this.#committed, number);
      return number;
    } catch {
      return undefined;
    }
  }

  async #inTime(member: Member, { path }: View): Promise<Answer> {
    const answer = member.get(path);
    answer.catch(() => undefined);
    const patience = new AbortController();
    const late = delay(ANSWER_LIMIT_MS, undefined, { signal: patience.signal }).then(() => {
      throw new Error(`no answer within ${ANSWER_LIMIT_MS} ms`);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      patience.abort();
      late.catch(() => undefined);
    }
  }

  #violated(member: Member, { path }: View, what: string): void {
    if (this.violations.length >= MAX_VIOLATIONS) return;
    this.violations.push(`${member.name} ${path}: ${what}`);
  }
}
