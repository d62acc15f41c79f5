/**
 * While the database is overloaded, spreads simultaneous requests over turns of the event loop, so that requests under
 * way and health probes do not wait behind a thousand others. Most of the excess is refused before any work is done for
 * it: a miss that is refused only when it asks for a connection has already cost as much as a hit.
 */
import { AsyncResource } from 'node:async_hooks';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DatabaseBusyError, type DriverBounds } from '../database/bounded-driver.js';
import type { BusyLog } from './busy-log.js';
import { PROBES } from './drain.js';
import { problemOfError } from './problem-of-error.js';
import { sendProblem } from './problem.filter.js';

/** Requests begun per turn. With more, a probe waits longer; with fewer, hits are read in smaller batches. */
const MAX_BEGUN = 25;
/** Requests that keep waiting while others are refused: a hundred clients with hits do not compete. */
const MAX_WAITING = 200;
/** Requests refused per turn. Each costs about a quarter of a request that is begun. */
const MAX_REFUSED = 100;

interface Waiting {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly begin: () => void;
}

/** Begins requests in order of arrival, except that health probes do not wait. */
export class Admission {
  readonly #line: Waiting[] = [];
  #begun = 0;
  #isTurnDue = false;

  constructor(
    private readonly bounds: Pick<DriverBounds, 'isCrowded' | 'maxWaiting'>,
    private readonly busyLog: BusyLog,
  ) {}

  /** Call after the hook that sets the headers of every answer, and before hooks that do work. */
  addTo(server: Pick<FastifyInstance, 'addHook'>): void {
    server.addHook('onRequest', (request, reply, begin) => {
      const isFree = !this.bounds.isCrowded && this.#line.length === 0;
      if (isFree || request.url.startsWith(PROBES)) return begin();
      this.#awaitTurn();
      if (this.#line.length > 0 || this.#begun === MAX_BEGUN) {
        // The turn runs in the asynchronous context of another request.
        this.#line.push({ request, reply, begin: AsyncResource.bind(begin) });
        return;
      }
      this.#begun += 1;
      begin();
    });
  }

  #awaitTurn(): void {
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isTurnDue = false;
    const batch = this.#line.splice(0, MAX_BEGUN);
    this.#begun = batch.length;
    if (batch.length > 0) this.#awaitTurn();
    for (const { request, begin } of batch) if (!request.raw.destroyed) begin();
    if (!this.bounds.isCrowded) return;
    for (const { request, reply } of this.#line.splice(MAX_WAITING, MAX_REFUSED)) {
      this.busyLog.refused();
      sendProblem(problemOfError(new DatabaseBusyError(this.bounds.maxWaiting)), request, reply);
    }
  }
}
