/**
 * A TCP relay on 127.0.0.1 that can pass an open connection on to another server without closing
 * it, between two replies: what a proxy does that hides a failover from its clients.
 */
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

interface Line {
  readonly client: Socket;
  server: Socket;
  /** What the client has sent last has not been answered yet. */
  isAsking: boolean;
}

export class SwitchingRelay {
  readonly #lines = new Set<Line>();

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
    for (const line of this.#lines) {
      while (line.isAsking) await delay(1);
      const former = line.server;
      line.server = this.#dial(line);
      former.destroy();
    }
  }

  async close(): Promise<void> {
    const closed = once(this.listener, 'close');
    this.listener.close();
    for (const { client } of this.#lines) client.destroy();
    await closed;
  }

  #accept(client: Socket): void {
    const line = { client, isAsking: false } as Line;
    line.server = this.#dial(line);
    this.#lines.add(line);
    client.on('data', (chunk: Buffer) => {
      line.isAsking = true;
      line.server.write(chunk);
    });
    client.on('error', () => undefined);
    client.on('close', () => {
      this.#lines.delete(line);
      line.server.destroy();
    });
  }

  #dial(line: Line): Socket {
    const server = createConnection({ host: HOST, port: this.target, noDelay: true });
    server.on('data', (chunk: Buffer) => {
      if (line.server !== server) return;
      line.isAsking = false;
      line.client.write(chunk);
    });
    server.on('error', () => undefined);
    server.on('close', () => {
      if (line.server === server) line.client.destroy();
    });
    return server;
  }
}
