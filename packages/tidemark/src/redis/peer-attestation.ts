/**
 * Whether a process that begins can trust the data in Redis.
 *
 * An epoch names the run of the server it was made under, so a server that was restarted, or that has taken over, is
 * recognised. A server that the service *returns to* is not: it kept the epochs, versions and entries of the day it
 * was left, and they look whole. The same holds for a server that was away while the only process that knew of an
 * unpublished write died. A process that was connected before knows, since its connection broke. One that begins
 * does not.
 *
 * So it sets a question. A process that finds the question with a heartbeat takes it away when nothing it relies on
 * is older than its last outage. Then the asker trusts the data, else it replaces the epochs, as after an outage.
 *
 * Why that is right: the process that answers speaks for the time up to its answer, since the question was there
 * before it looked at its outages. The asker speaks for the time from the question on, since its connection has not
 * failed until the answer. Every process that answers was answered itself, or has replaced the epochs since.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisConnection } from './connection/redis-connection.js';
import { SCHEMA } from '../core/schema-version.js';
import { parseEpoch } from '../core/version-format.js';
import type { RedisKeys } from './redis-keys.js';
import { runScript } from './script-runner.js';
import { answerQuestion } from './scripts/heartbeat.script.js';

/** Heartbeats come every 200 ms at the latest. A process that misses a few costs fills, and nothing else. */
const ANSWER_WAIT_MS = 1_000;
const POLL_MS = 20;

export class PeerAttestation {
  readonly #question: string;
  #mayAnswer: () => boolean = () => false;

  constructor(
    private readonly connection: RedisConnection,
    private readonly keys: RedisKeys,
  ) {
    [, this.#question] = keys.ofHeartbeat();
  }

  /** Answers the questions of others while `isUnbroken` says that nothing older is relied on. */
  answerWhile(isUnbroken: () => boolean): void {
    this.#mayAnswer = isUnbroken;
  }

  /** A heartbeat has found the question of an instance that has begun. */
  answer(question: string): void {
    if (!this.#mayAnswer()) return;
    // Where it fails the asker waits in vain, which costs fills.
    runScript(this.connection, answerQuestion, [this.#question], [question]).catch(() => undefined);
  }

  /**
   * Whether another process answers for the data, or there is nothing that could be taken for
   * fresh. Takes a second at the most where nobody answers. Never rejects.
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

  /** Every stamp has the epoch of the schema: where that will be replaced, no entry counts. */
  async #holdsNothing(): Promise<boolean> {
    const { value, node } = await this.#get(this.keys.epoch(SCHEMA));
    return value === null || parseEpoch(value).node !== node;
  }

  async #ask(): Promise<boolean> {
    // Without a time to live: only an answer takes it away.
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
