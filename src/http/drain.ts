/** Ends the connections of a server so that no request is cut off. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** A server that has had no request for so long is idle. */
const QUIET_MS = 1_000;
/** How long a connection without a whole request is kept after the listener is closed. */
const GRACE_MS = 1_000;
/** How long a client may take to read an answer after the listener is closed. */
const UNREAD_GRACE_MS = 5_000;
const POLL_MS = 25;
/** Longer than most answers take. */
const HOLD_MS = 100;
/** Probes go on while the service drains, and do not count as traffic. */
export const PROBES = '/health/';

export class Drain {
  readonly #underWay = new Set<ServerResponse>();
  #server: Server | undefined;
  #lastRequestMs = Number.NEGATIVE_INFINITY;
  #hasBegun = false;

  /** Whether the service is stopping: it answers, and wants no new clients. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Follows the requests of a server that does not listen yet. */
  follow(server: Server): void {
    this.#server = server;
    server.prependListener('request', (request, response) => {
      this.#underWay.add(response);
      response.once('close', () => this.#underWay.delete(response));
      if (this.#hasBegun) closeAfter(response);
      if (!request.url?.startsWith(PROBES)) this.#lastRequestMs = performance.now();
    });
  }

  /**
   * Closes the server. An idle server closes at once. Otherwise it goes on listening until no request has come for a
   * second, for `drainMs` at the most, and every answer has `Connection: close`. Then it stops listening, and resolves
   * when all requests are answered. Connections that have sent nothing or a part of a request are destroyed then.
   */
  async finish(drainMs: number): Promise<void> {
    const server = this.#server;
    if (this.#hasBegun || !server?.listening) return;
    this.#hasBegun = true;
    for (const response of this.#underWay) closeAfter(response);
    const drainEndMs = performance.now() + drainMs;
    while (!this.#isIdle() && performance.now() < drainEndMs) await delay(POLL_MS);
    let isClosed = false;
    server.once('close', () => (isClosed = true));
    if (this.#isIdle()) server.close();
    else await closeListener(server);
    const closedMs = performance.now();
    while (!isClosed) {
      const graceMs = performance.now() - closedMs;
      if (graceMs >= GRACE_MS && !this.#isAnswering(graceMs)) server.closeAllConnections();
      else server.closeIdleConnections();
      await delay(POLL_MS);
    }
  }

  #isIdle(): boolean {
    return performance.now() - this.#lastRequestMs >= QUIET_MS && !this.#isAnswering(0);
  }

  /** Whether a request that has arrived with all of its body waits for its answer, or its client still reads it. */
  #isAnswering(graceMs: number): boolean {
    const isUnreadForLong = (response: ServerResponse): boolean =>
      response.writableEnded && graceMs >= UNREAD_GRACE_MS;
    return [...this.#underWay].some(
      (response) => response.req.complete && !isUnreadForLong(response),
    );
  }
}

/**
 * The system resets connections that it has set up for a listener and that are not accepted when it is closed. So
 * requests that come now wait until then: a client without an answer does not connect again.
 */
async function closeListener(server: Server): Promise<void> {
  type Request = [IncomingMessage, ServerResponse];
  const handlers = server.listeners('request') as ((...request: Request) => void)[];
  const held: Request[] = [];
  server.removeAllListeners('request');
  server.on('request', (...request) => held.push(request));
  await delay(HOLD_MS);
  server.removeAllListeners('request');
  for (const handler of handlers) server.on('request', handler);
  server.close();
  for (const request of held) server.emit('request', ...request);
}

/** Node closes the connection after an answer that says so. */
function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
