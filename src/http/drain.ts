/** Ends the connections of a server without cutting off requests. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** A server counts as idle after this time without a request. */
const QUIET_MS = 1_000;
/** How long a connection without a complete request is kept after the listener is closed. */
const GRACE_MS = 1_000;
/** How long a client may take to read an answer after the listener is closed. */
const UNREAD_GRACE_MS = 5_000;
const POLL_MS = 25;
/** Longer than most answers take. */
const HOLD_MS = 100;
/** Probes continue while the service drains, and do not count as traffic. */
export const PROBES = '/health/';

export class Drain {
  readonly #underWay = new Set<ServerResponse>();
  #server: Server | undefined;
  #lastRequestMs = Number.NEGATIVE_INFINITY;
  #hasBegun = false;

  /** Whether the service is stopping: it still answers requests, but should get no new clients. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Tracks the requests of a server that does not listen yet. */
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
   * Closes the server. An idle server closes at once. Otherwise it keeps listening until no request has arrived for a
   * second, or until `drainMs` has passed, and every answer has `Connection: close`. Then it stops listening, and
   * resolves when all requests are answered. Connections that have sent nothing or an incomplete request are then
   * destroyed.
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

  /** Whether a completely received request waits for its answer, or its client is still reading the answer. */
  #isAnswering(graceMs: number): boolean {
    const isUnreadForLong = (response: ServerResponse): boolean =>
      response.writableEnded && graceMs >= UNREAD_GRACE_MS;
    return [...this.#underWay].some(
      (response) => response.req.complete && !isUnreadForLong(response),
    );
  }
}

/**
 * The operating system resets connections that it has established for a listener and that are not yet accepted when the
 * listener closes. So requests that arrive now wait until it is closed: a client without an answer opens no further
 * connection.
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

/** Node closes the connection after an answer with this header. */
function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
