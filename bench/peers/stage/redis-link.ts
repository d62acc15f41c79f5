/** The network between one instance and Redis: a relay that can be cut and mended. */
import { once } from 'node:events';
import {
  createConnection,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';

const HOST = '127.0.0.1';

export class RedisLink {
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(
    private readonly server: Server,
    private readonly redisPort: number,
  ) {
    server.on('connection', (client) => this.#relay(client));
  }

  static async open(redisPort: number): Promise<RedisLink> {
    const server = createServer().listen(0, HOST);
    await once(server, 'listening');
    return new RedisLink(server, redisPort);
  }

  get url(): string {
    return `redis://${HOST}:${(this.server.address() as AddressInfo).port}`;
  }

  /** Breaks every connection, and every new one as soon as it is made. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  #relay(client: Socket): void {
    if (this.#isCut) {
      client.destroy();
      return;
    }
    const upstream = createConnection({ host: HOST, port: this.redisPort });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.pipe(other);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
