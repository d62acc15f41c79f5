/**
 * Whether a starting process can trust the data in Redis.
 *
 * An epoch names the run of the server under which it was created, so a server that restarted or took over is
 * recognised. A server that the service *returns to* is not: it still holds the epochs, versions and entries from
 * before the service left it, and they look intact. The same holds for a server that was unavailable while the only
 * process that knew of an unpublished write died. A process that was already connected knows, because its connection
 * broke. A starting process does not.
 *
 * So the starting process sets a question. A process that finds the question with a heartbeat removes it if it relies
 * on nothing older than its last outage. Then the asker trusts the data; otherwise it replaces the epochs, as after an
 * outage.
 *
 * Why this is correct: the answering process attests the time up to its answer, since the question was there before it
 * checked its outages. The asker attests the time from the question on, since its connection has not failed before the
 * answer. Every process that answers was itself answered, or has replaced the epochs since.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisLink } from './connection/redis-link.js';
import { SCHEMA } from '../core/schema-version.js';
import { parseEpoch } from '../core/versions.js';
import type { RedisKeys } from './redis-keys.js';
import { runScript } from './scripts/script.js';
import { answerQuestion } from './scripts/heartbeat.script.js';

/** Heartbeats come every 200 ms or faster. A process that misses a few causes fills, and no other cost. */
const ANSWER_WAIT_MS = 1_000;
const POLL_MS = 20;

export class PeerAttestation {
  readonly #question: string;
  #mayAnswer: () => boolean = () => false;

  /** @param schema the table that stands for the version of the schema there. */
  constructor(
    private readonly connection: RedisLink,
    private readonly keys: RedisKeys,
    private readonly schema: string = SCHEMA,
  ) {
    [, this.#question] = keys.ofHeartbeat();
  }

  /** Answers other processes' questions while `isUnbroken` reports that nothing older is relied on. */
  answerWhile(isUnbroken: () => boolean): void {
    this.#mayAnswer = isUnbroken;
  }

  /** A heartbeat has found the question of a starting instance. */
  answer(question: string): void {
    if (!this.#mayAnswer()) return;
    // If this fails, the asker waits in vain, which costs fills.
    runScript(this.connection, answerQuestion, [this.#question], [question]).catch(() => undefined);
  }

  /**
   * Whether another process attests the data, or Redis holds nothing that could be mistaken for fresh. Takes one second
   * at most if no process answers. Never rejects.
   */
  async isAttested(): Promise<boolean> {
    const { outages, state } = this.connection;
    if (state !== 'up') return false;
    try {
      const isAnswered = (await this.#holdsNothing()) || (await this.#ask());
      return isAnswered && this.connection.outages === outages;
    } catch {
      return false;
    }
  }

  /** Every stamp contains the epoch of the schema: if that will be replaced, no entry counts. */
  async #holdsNothing(): Promise<boolean> {
    const { value, node } = await this.#get(this.keys.epoch(this.schema));
    return value === null || parseEpoch(value).node !== node;
  }

  async #ask(): Promise<boolean> {
    // Without a time to live: only an answer removes it.
    await this.connection.send('SET of a question', (client) =>
      client.set(this.#question, randomUUID()),
    );
    const endMs = performance.now() + ANSWER_WAIT_MS;
    while (performance.now() < endMs) {
      await delay(POLL_MS);
      if ((await this.#get(this.#question)).value === null) return true;
    }
    return false;
  }

  #get(key: string) {
    return this.connection.send('GET of an epoch or a question', (client) => client.get(key));
  }
}
