/**
 * A TCP proxy on 127.0.0.1 between a client and a server. A test can
 *
 * - stop one connection at the first bytes that look like a pattern ({@link TcpProxy.holdAt}): what came before has
 *   been passed on; these bytes, all that follows them and the end of the stream wait until they are let go or dropped;
 * - freeze, cut or refuse all connections, or close each one that is idle;
 * - lead clients that learn of other servers to proxies of these ({@link ServerPorts});
 * - send new connections to another server ({@link TcpProxy.retarget}), or pass open connections to Redis on to another
 *   server between two replies ({@link TcpProxy.switchTo}), as a proxy does that hides a failover from its clients.
 *
 * Where a pattern begins within a message, the receiver has the message in part and cannot act on it.
 */
import { once } from 'node:events';
import {
  createConnection,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import type { ServerPorts } from './server-ports.js';
import { Hold, Link, type Direction } from './tcp-link.js';

const HOST = '127.0.0.1';
/** Between two looks for idle connections. */
const LOOK_MS = 100;

export class TcpProxy {
  readonly #armed = new Set<Hold>();
  readonly #links = new Set<Link>();
  /** The number of looks since the client has sent something. */
  readonly #idleLooks = new Map<Link, number>();
  #looks: NodeJS.Timeout | undefined;
  #isFrozen = false;
  #isRefusing = false;

  private constructor(
    private readonly listener: Server,
    private target: number,
    private readonly onSent: (text: string) => void,
    private readonly serverPorts: ServerPorts,
  ) {
    listener.on('connection', (client) => this.#connect(client));
  }

  /**
   * @param target the port of the server on 127.0.0.1.
   * @param onSent gets each chunk that a client sends.
   * @param serverPorts may change later.
   */
  static async open(
    target: number,
    onSent: (text: string) => void = () => undefined,
    serverPorts: ServerPorts = new Map(),
  ): Promise<TcpProxy> {
    // A client's end must not close the other direction by itself: it may be held.
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TcpProxy(listener, target, onSent, serverPorts);
    listener.listen(0, HOST);
    await once(listener, 'listening');
    listener.unref();
    return proxy;
  }

  /** Where clients connect to. */
  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  /** Where clients of a Redis connect to. */
  get redisUrl(): string {
    return `redis://${HOST}:${this.port}`;
  }

  /** Holds the first connection in which the pattern passes from here on; the others flow. */
  holdAt(direction: Direction, pattern: string): Hold {
    const hold = new Hold(direction, pattern, (done) => this.#armed.delete(done));
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

  /**
   * From now on closes a connection whose client has sent nothing for this number of tenths of a second. Looks are
   * counted, since a process that stalls would mistake all its connections for idle ones.
   */
  closeIdle(looks: number): void {
    this.#looks = setInterval(() => {
      for (const link of this.#links) {
        const idle = (this.#idleLooks.get(link) ?? 0) + 1;
        this.#idleLooks.set(link, idle);
        if (idle > looks) link.destroy();
      }
    }, LOOK_MS).unref();
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

  /** Passes every connection on to another Redis, without closing it; resolves when all have moved. */
  async switchTo(port: number): Promise<void> {
    this.target = port;
    await Promise.all([...this.#links].map((link) => link.switchServer(() => this.#dial())));
  }

  /** Holds nothing any more and lets everything pass. */
  calm(): void {
    this.#armed.clear();
    this.accept();
    this.thaw();
  }

  async close(): Promise<void> {
    clearInterval(this.#looks);
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
    const link = new Link(client, this.#dial(), this.#armed, this.serverPorts);
    if (this.#isFrozen) for (const flow of link.flows) flow.hold();
    this.#links.add(link);
    client.on('data', (chunk: Buffer) => {
      this.#idleLooks.delete(link);
      this.onSent(chunk.toString('latin1'));
    });
    client.on('close', () => {
      this.#idleLooks.delete(link);
      this.#links.delete(link);
    });
  }

  #dial(): Socket {
    return createConnection({
      host: HOST,
      port: this.target,
      allowHalfOpen: true,
      noDelay: true,
    });
  }
}
