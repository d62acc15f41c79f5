/** Ends the connections of a server so that no request is cut off. */
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A server that has had no request for so long is idle. */
const QUIET_MS = 1_000;
/** How long a connection without a whole request is kept after the listener is closed. */
const GRACE_MS = 1_000;
/** How long a client may take to read an answer after the listener is closed. */
const UNREAD_GRACE_MS = 5_000;
const POLL_MS = 25;
/** Longer than answers take that are under way, as a rule. */
const HOLD_MS = 100;
/** Probes go on while the service drains; they are not the traffic that it drains for. */
export const PROBES = '/health/';

export class Drain {
  readonly #sockets = new Set<Socket>();
  readonly #underWay = new Set<ServerResponse>();
  #server: Server | undefined;
  #lastRequestMs = Number.NEGATIVE_INFINITY;
  #hasBegun = false;

  /** Whether the service is stopping: it answers, and wants no new clients. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Follows the connections and requests of a server that does not listen yet. */
  follow(server: Server): void {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.prependListener('request', (request, response) => this.#onRequest(request, response));
  }

  /**
   * Closes the server. An idle server closes at once. Otherwise it goes on listening until no request
   * has come for a second, for `drainMs` at the most, and every answer has `Connection: close`. Then
   * it stops listening, and resolves when all requests are answered.
   */
  async finish(drainMs: number): Promise<void> {
    const server = this.#server;
    if (this.#hasBegun || !server?.listening) return;
    this.#hasBegun = true;
    for (const response of this.#underWay) closeAfter(response);
    const drainEndMs = performance.now() + drainMs;
    while (!this.#isIdle() && performance.now() < drainEndMs) await delay(POLL_MS);
    const closed = once(server, 'close');
    if (this.#isIdle()) server.close();
    else await closeListener(server);
    const closedMs = performance.now();
    while (this.#sockets.size > 0) {
      server.closeIdleConnections();
      this.#destroyUnfinished(performance.now() - closedMs);
      await delay(POLL_MS);
    }
    await closed;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#underWay.add(response);
    response.once('close', () => this.#underWay.delete(response));
    if (this.#hasBegun) closeAfter(response);
    if (!request.url?.startsWith(PROBES)) this.#lastRequestMs = performance.now();
  }

  #isIdle(): boolean {
    if (performance.now() - this.#lastRequestMs < QUIET_MS) return false;
    return ![...this.#underWay].some(isWhole);
  }

  /** Destroys connections that have sent nothing or a part of a request, or do not read their answer. */
  #destroyUnfinished(graceMs: number): void {
    if (graceMs < GRACE_MS) return;
    const busy = new Set<Socket>();
    for (const response of this.#underWay) {
      const isAnswered = response.writableEnded && graceMs >= UNREAD_GRACE_MS;
      if (isWhole(response) && !isAnswered) busy.add(response.req.socket);
    }
    for (const socket of this.#sockets) if (!busy.has(socket)) socket.destroy();
  }
}

/**
 * The system resets connections that it has set up for a listener and that are not accepted when it is
 * closed. So requests that come now wait until then: a client without an answer does not connect again.
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

/** Whether the request has arrived with all of its body. */
function isWhole({ req }: ServerResponse): boolean {
  return req.complete;
}
