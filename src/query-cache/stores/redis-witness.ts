/**
 * Whether the data in Redis can be trusted by a process that has only just begun.
 *
 * An epoch names the run of the server it was made under, so a server that was restarted, or one
 * that has taken over, is recognised by anyone. One that is *returned to* is not: while the service
 * worked with another server, the first one, never restarted, kept the epochs, versions and entries
 * of the day it was left, and they look whole. The same holds for a server that was away while the
 * only process that knew of an unannounced write died. A process that was connected before knows:
 * its connection broke, and it trusts nothing from before. A process that begins knows nothing.
 *
 * So it asks. It sets a question; a process that meets the question with a heartbeat takes it away
 * when nothing it relies on is older than its last outage. Then the asker trusts the data, else it
 * replaces the epochs that it meets, as after an outage.
 *
 * Why that is right: the one that answers speaks for the time up to its answer, since the question
 * was there when it last looked at its own outages; the asker itself speaks for the time from the
 * question on, since its connection has not failed from then to the answer. Every process that
 * answers was answered itself, or has replaced the epochs since.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisConnection } from '../../redis/redis-connection.js';
import { SCHEMA } from '../core/schema-version.js';
import { parseEpoch } from '../core/version-format.js';
import type { RedisKeys } from './redis-keys.js';
import { ScriptRunner } from './script-runner.js';
import { answerQuestion } from './scripts/heartbeat.script.js';

/** Heartbeats come every 200 ms at the latest; one that misses a few costs fills, not truth. */
const ANSWER_WAIT_MS = 1_000;
const POLL_MS = 20;

export class RedisWitness {
  #connection: RedisConnection | undefined;
  #mayAnswer: () => boolean = () => false;

  constructor(private readonly keys: RedisKeys) {}

  /** The connection over which it asks and answers. */
  attend(connection: RedisConnection): void {
    this.#connection = connection;
  }

  /** Answers the questions of others while `isUnbroken` says that nothing older is relied on. */
  answerWhile(isUnbroken: () => boolean): void {
    this.#mayAnswer = isUnbroken;
  }

  /** Another instance has begun and asks; a heartbeat has found its question. */
  answer(question: string): void {
    if (!this.#connection || !this.#mayAnswer()) return;
    const [, key] = this.keys.ofHeartbeat();
    new ScriptRunner(this.#connection).run(answerQuestion, [key], [question]).catch(() => {
      // The asker waits in vain, which costs fills.
    });
  }

  /**
   * Whether another process answers for the data, or there is nothing that could be taken for
   * fresh. Takes a second at the most where nobody answers. Never rejects.
   */
  async isVouchedFor(): Promise<boolean> {
    const connection = this.#connection;
    if (connection?.state !== 'up') return false;
    const { outages } = connection;
    try {
      const isAnswered = (await this.#holdsNothing(connection)) || (await this.#ask(connection));
      return isAnswered && connection.outages === outages;
    } catch {
      return false;
    }
  }

  /** Every stamp has the epoch of the schema: where that will be replaced, no entry counts. */
  async #holdsNothing(connection: RedisConnection): Promise<boolean> {
    const key = this.keys.epoch(SCHEMA);
    const { value, node } = await connection.send('GET of an epoch', (client) => client.get(key));
    return value === null || parseEpoch(value).node !== node;
  }

  async #ask(connection: RedisConnection): Promise<boolean> {
    const [, key] = this.keys.ofHeartbeat();
    // Without a time to live: only an answer takes it away.
    await connection.send('SET of a question', (client) => client.set(key, randomUUID()));
    const endMs = performance.now() + ANSWER_WAIT_MS;
    while (performance.now() < endMs) {
      await delay(POLL_MS);
      const { value } = await connection.send('GET of a question', (client) => client.get(key));
      if (value === null) return true;
    }
    return false;
  }
}
