/**
 * A TCP proxy on 127.0.0.1 that a test puts between a client and a server to stop what flows at an
 * exact place: at the first bytes that look like a given pattern, in one direction of one
 * connection. What came before has been passed on, what is held and all that follows it waits, the
 * end of the stream included, until it is let go or dropped.
 *
 * Where a pattern begins within a message, the receiver has got the message in part, which it
 * cannot act on.
 */
import { once } from 'node:events';
import {
  createConnection,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';

const HOST = '127.0.0.1';
/** Longer than any pattern. */
const TAIL_BYTES = 1_024;
/** For what never comes; a slow machine is not meant. */
const REACHED_LIMIT_MS = 30_000;

export type Direction = 'to-server' | 'to-client';

/** Something that is to be held, or is held. */
export class Hold {
  #flow: Flow | undefined;
  #tell: () => void = () => undefined;
  readonly #reached = new Promise<void>((resolve) => (this.#tell = resolve));

  constructor(
    readonly direction: Direction,
    readonly pattern: Buffer,
    private readonly disarm: (hold: Hold) => void,
  ) {}

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

  /** What is held flows again; what has not come yet will not be held. */
  letGo(): void {
    this.disarm(this);
    this.#flow?.resume();
  }

  /** Both sides see their connection closed; what is held never arrives. */
  drop(): void {
    this.disarm(this);
    this.#flow?.drop();
  }

  /** For the valve alone. */
  caughtBy(flow: Flow): void {
    this.disarm(this);
    this.#flow = flow;
    this.#tell();
  }
}

/** One direction of one connection. */
class Flow {
  #tail: Buffer = Buffer.alloc(0);
  #waiting: Buffer[] = [];
  #isHeld = false;
  #hasEnded = false;

  constructor(
    private readonly direction: Direction,
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly armed: ReadonlySet<Hold>,
  ) {
    from.on('data', (chunk: Buffer) => this.#pass(chunk));
    // A connection that is reset closes without an end.
    from.on('end', () => this.#end());
    from.on('close', () => this.#end());
    from.on('error', () => undefined);
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
    this.from.destroy();
    this.to.destroy();
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

class Link {
  readonly flows: readonly [Flow, Flow];

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    armed: ReadonlySet<Hold>,
  ) {
    client.setNoDelay(true);
    server.setNoDelay(true);
    this.flows = [
      new Flow('to-server', client, server, armed),
      new Flow('to-client', server, client, armed),
    ];
  }

  destroy(): void {
    this.client.destroy();
    this.server.destroy();
  }
}

export class TcpValve {
  readonly #armed = new Set<Hold>();
  readonly #links = new Set<Link>();
  #isFrozen = false;
  #isRefusing = false;

  private constructor(
    private readonly listener: Server,
    private target: number,
  ) {
    listener.on('connection', (client) => this.#connect(client));
  }

  /** @param target the port of the server on 127.0.0.1. */
  static async open(target: number): Promise<TcpValve> {
    // A client's end must not close the other direction by itself: it may be held.
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    const valve = new TcpValve(listener, target);
    listener.listen(0, HOST);
    await once(listener, 'listening');
    listener.unref();
    return valve;
  }

  /** Where clients connect to. */
  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#links.size;
  }

  /** Holds the first connection in which the pattern passes from here on; the others flow. */
  holdAt(direction: Direction, pattern: string | Buffer): Hold {
    const bytes = typeof pattern === 'string' ? Buffer.from(pattern, 'latin1') : pattern;
    if (bytes.length === 0 || bytes.length > TAIL_BYTES) throw new RangeError('Pattern length');
    const hold = new Hold(direction, bytes, (done) => this.#armed.delete(done));
    this.#armed.add(hold);
    return hold;
  }

  /** Nothing passes in either direction, over new connections neither; all stay open. */
  freeze(): void {
    this.#isFrozen = true;
    for (const { flows } of this.#links) for (const flow of flows) flow.hold();
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const { flows } of this.#links) for (const flow of flows) flow.resume();
  }

  /** Closes every connection; what is held is lost. */
  cut(): void {
    for (const link of this.#links) link.destroy();
  }

  /** Closes every connection and every new one at once, until {@link accept}. */
  refuse(): void {
    this.#isRefusing = true;
    this.cut();
  }

  accept(): void {
    this.#isRefusing = false;
  }

  /** New connections go to another port of 127.0.0.1; the open ones stay where they are. */
  retarget(port: number): void {
    this.target = port;
  }

  /** Holds nothing any more and lets everything pass. */
  calm(): void {
    this.#armed.clear();
    this.accept();
    this.thaw();
  }

  async close(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    this.cut();
    await closed;
  }

  #connect(client: Socket): void {
    if (this.#isRefusing) {
      client.on('error', () => undefined);
      client.destroy();
      return;
    }
    const server = createConnection({ host: HOST, port: this.target, allowHalfOpen: true });
    const link = new Link(client, server, this.#armed);
    if (this.#isFrozen) for (const flow of link.flows) flow.hold();
    this.#links.add(link);
    const forget = (): void => {
      if (client.destroyed && server.destroyed) this.#links.delete(link);
    };
    client.on('close', forget);
    server.on('close', forget);
  }
}
