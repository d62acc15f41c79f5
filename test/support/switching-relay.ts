/**
 * A TCP relay on 127.0.0.1 in front of Redis that can pass an open connection on to another server
 * without closing it, between two replies: what a proxy does that hides a failover from its clients.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createConnection,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const HOST = '127.0.0.1';
/** A line whose server does not answer by then is closed instead. */
const ANSWER_LIMIT_MS = 1_000;

interface Line {
  readonly client: Socket;
  server: Socket;
  /** The last bytes that the client has sent end a command. */
  isWhole: boolean;
  /** Gets what the server sends, while the relay waits for an answer to a command of its own. */
  take: ((chunk: Buffer) => void) | undefined;
}

export class SwitchingRelay {
  readonly #lines = new Set<Line>();
  #isRefusing = false;

  private constructor(
    private readonly listener: Server,
    private target: number,
  ) {
    listener.on('connection', (client) => this.#accept(client));
  }

  static async open(target: number): Promise<SwitchingRelay> {
    const listener = createServer({ noDelay: true });
    const relay = new SwitchingRelay(listener, target);
    listener.listen(0, HOST);
    await once(listener, 'listening');
    listener.unref();
    return relay;
  }

  get port(): number {
    return (this.listener.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  /** Resolves when every line goes to the other server. */
  async switchTo(target: number): Promise<void> {
    this.target = target;
    await Promise.all([...this.#lines].map((line) => this.#switch(line)));
  }

  /** Closes every line, and every new one at once, until {@link accept}. */
  refuse(): void {
    this.#isRefusing = true;
    for (const { client } of this.#lines) client.destroy();
  }

  accept(): void {
    this.#isRefusing = false;
  }

  async close(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    for (const { client } of this.#lines) client.destroy();
    await closed;
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#isRefusing) {
      client.destroy();
      return;
    }
    const line = { client, isWhole: true, take: undefined } as unknown as Line;
    line.server = this.#dial(line);
    this.#lines.add(line);
    client.on('data', (chunk: Buffer) => {
      line.isWhole = chunk.subarray(-2).toString('latin1') === '\r\n';
      line.server.write(chunk);
    });
    client.on('close', () => {
      this.#lines.delete(line);
      line.server.destroy();
    });
  }

  #dial(line: Line): Socket {
    const server = createConnection({ host: HOST, port: this.target, noDelay: true });
    server.on('data', (chunk: Buffer) => {
      if (line.server !== server) return;
      if (line.take) line.take(chunk);
      else line.client.write(chunk);
    });
    server.on('error', () => undefined);
    server.on('close', () => {
      if (line.server === server) line.client.destroy();
    });
    return server;
  }

  async #switch(line: Line): Promise<void> {
    line.client.pause();
    for (; !line.isWhole; line.client.pause()) {
      line.client.resume();
      await delay(1);
    }
    const isAnswered = await this.#answered(line);
    line.take = undefined;
    if (!isAnswered) return void line.client.destroy();
    const former = line.server;
    line.server = this.#dial(line);
    former.destroy();
    line.client.resume();
  }

  /**
   * Whether the client has got the answers to all it has sent: replies come in the order of commands, so the relay
   * sends one of its own and keeps its reply.
   */
  async #answered(line: Line): Promise<boolean> {
    const token = randomUUID();
    const reply = Buffer.from(`$${token.length}\r\n${token}\r\n`);
    const answered = new Promise<boolean>((resolve) => {
      let rest: Buffer = Buffer.alloc(0);
      line.take = (chunk) => {
        rest = Buffer.concat([rest, chunk]);
        if (!rest.subarray(-reply.length).equals(reply)) return;
        line.client.write(rest.subarray(0, rest.length - reply.length));
        resolve(true);
      };
    });
    line.server.write(`*2\r\n$4\r\nECHO\r\n$${token.length}\r\n${token}\r\n`);
    return Promise.race([answered, delay(ANSWER_LIMIT_MS, false, { ref: false })]);
  }
}
