/** One connection through a proxy, parts of which a test may hold. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ReplyRewriter, type ServerPorts } from './server-ports.js';

/** Longer than any pattern. */
const TAIL_BYTES = 1_024;
/** For a pattern that never comes: longer than a slow machine needs. */
const REACHED_LIMIT_MS = 30_000;
/** A connection whose former server does not answer by then is closed instead of switched. */
const ANSWER_LIMIT_MS = 1_000;

export type Direction = 'to-server' | 'to-client';

/** A pattern to be held, with the bytes held. */
export class Hold {
  #flow: Flow | undefined;
  #resolve: () => void = () => undefined;
  readonly #reached = new Promise<void>((resolve) => (this.#resolve = resolve));
  readonly pattern: Buffer;

  constructor(
    readonly direction: Direction,
    pattern: string,
    private readonly disarm: (hold: Hold) => void,
  ) {
    this.pattern = Buffer.from(pattern, 'latin1');
    const { length } = this.pattern;
    if (length === 0 || length > TAIL_BYTES) throw new RangeError('Length of a pattern');
  }

  /** Resolves once the pattern has come and is held; rejects when it does not come. */
  async reached(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const text = JSON.stringify(this.pattern.toString('latin1'));
      const error = new Error(`Nothing like ${text} has passed ${this.direction}`);
      timer = setTimeout(() => reject(error), REACHED_LIMIT_MS);
    });
    await Promise.race([this.#reached, late]).finally(() => clearTimeout(timer));
  }

  /** Held bytes flow again; later bytes are not held. */
  letGo(): void {
    this.disarm(this);
    this.#flow?.resume();
  }

  /** Both sides see their connection closed; what is held never arrives. */
  drop(): void {
    this.disarm(this);
    this.#flow?.drop();
  }

  /** For the proxy alone. */
  caughtBy(flow: Flow): void {
    this.disarm(this);
    this.#flow = flow;
    this.#resolve();
  }
}

/** One connection of a client, and the one to the server that belongs to it. */
export class Link {
  readonly flows: readonly [Flow, Flow];

  constructor(
    private readonly client: Socket,
    private server: Socket,
    armed: ReadonlySet<Hold>,
    ports: ServerPorts,
  ) {
    this.flows = [
      new Flow('to-server', client, server, armed),
      new Flow('to-client', server, client, armed, new ReplyRewriter(ports)),
    ];
  }

  destroy(): void {
    this.client.destroy();
    this.server.destroy();
  }

  /**
   * Redis replies in the order of commands. So a command of the proxy, sent between two of the client, shows by its
   * reply that the client has all its answers from the former server.
   */
  async switchServer(dial: () => Socket): Promise<void> {
    const [toServer, toClient] = this.flows;
    while (!toServer.hasPassedWholeLines && !this.client.destroyed) await delay(1);
    toServer.hold();
    const token = randomUUID();
    const replied = toClient.replyTaken(`$${token.length}\r\n${token}\r\n`);
    this.server.write(`*2\r\n$4\r\nECHO\r\n$${token.length}\r\n${token}\r\n`);
    const limit = delay(ANSWER_LIMIT_MS, 'late' as const, { ref: false });
    if ((await Promise.race([replied, limit])) === 'late') return this.destroy();
    const former = this.server;
    this.server = dial();
    toClient.from = this.server;
    toServer.to = this.server;
    former.destroy();
    toServer.resume();
  }
}

/** One direction of one connection. */
class Flow {
  #from: Socket;
  #tail: Buffer = Buffer.alloc(0);
  #waiting: Buffer[] = [];
  #isHeld = false;
  #hasEnded = false;
  /** Gets the bytes instead of the receiver. */
  #take: ((chunk: Buffer) => void) | undefined;

  constructor(
    private readonly direction: Direction,
    from: Socket,
    public to: Socket,
    private readonly armed: ReadonlySet<Hold>,
    private readonly replies?: ReplyRewriter,
  ) {
    this.#from = from;
    this.from = from;
  }

  set from(socket: Socket) {
    this.#from = socket;
    socket.on('data', (chunk: Buffer) => {
      if (this.#take) this.#take(chunk);
      else this.#pass(this.replies?.rewrite(chunk) ?? chunk);
    });
    // A connection that is reset closes without an end.
    for (const event of ['end', 'close'] as const) {
      socket.on(event, () => {
        if (this.#from === socket) this.#end();
      });
    }
    socket.on('error', () => undefined);
  }

  /** Whether the bytes passed on end with a whole line. */
  get hasPassedWholeLines(): boolean {
    return this.#tail.length === 0 || this.#tail.toString('latin1').endsWith('\r\n');
  }

  hold(): void {
    this.#isHeld = true;
  }

  resume(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const chunk of waiting) this.#pass(chunk);
    if (this.#hasEnded) this.#end();
  }

  drop(): void {
    this.#waiting = [];
    this.#isHeld = false;
    this.#from.destroy();
    this.to.destroy();
  }

  /** Resolves when the reply has come; passes on what came before it. */
  replyTaken(reply: string): Promise<void> {
    return new Promise((resolve) => {
      let text: Buffer = Buffer.alloc(0);
      this.#take = (chunk) => {
        text = Buffer.concat([text, chunk]);
        const end = text.length - reply.length;
        if (text.subarray(Math.max(0, end)).toString('latin1') !== reply) return;
        this.#take = undefined;
        this.#pass(text.subarray(0, end));
        resolve();
      };
    });
  }

  #pass(chunk: Buffer): void {
    if (this.#isHeld) {
      this.#waiting.push(chunk);
      return;
    }
    const found = this.#search(chunk);
    if (!found) {
      this.#write(chunk);
      return;
    }
    this.#write(chunk.subarray(0, found.at));
    this.#isHeld = true;
    this.#waiting.push(chunk.subarray(found.at));
    found.hold.caughtBy(this);
  }

  /** The first pattern that ends in the chunk; a part of it may have been passed on before. */
  #search(chunk: Buffer): { hold: Hold; at: number } | undefined {
    let first: { hold: Hold; at: number } | undefined;
    const seen = Buffer.concat([this.#tail, chunk]);
    for (const hold of this.armed) {
      if (hold.direction !== this.direction) continue;
      const start = Math.max(0, this.#tail.length - hold.pattern.length + 1);
      const index = seen.indexOf(hold.pattern, start);
      if (index === -1) continue;
      const at = Math.max(0, index - this.#tail.length);
      if (!first || at < first.at) first = { hold, at };
    }
    return first;
  }

  #write(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#tail = Buffer.concat([this.#tail, chunk]).subarray(-TAIL_BYTES);
    if (this.to.writable) this.to.write(chunk);
  }

  #end(): void {
    this.#hasEnded = true;
    if (!this.#isHeld) this.to.end();
  }
}
