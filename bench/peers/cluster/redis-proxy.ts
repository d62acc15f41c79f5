/** A TCP proxy between one instance and Redis that a scenario can cut and mend. */
import { once } from 'node:events';
import {
  createConnection,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';

const HOST = '127.0.0.1';

export class RedisProxy {
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly port: number,
    private readonly redisPort: number,
  ) {
    server.on('connection', (client) => this.#relay(client));
  }

  static async open(redisPort: number): Promise<RedisProxy> {
    const server = createServer().listen(0, HOST);
    await once(server, 'listening');
    return new RedisProxy(server, (server.address() as AddressInfo).port, redisPort);
  }

  get url(): string {
    return `redis://${HOST}:${this.port}`;
  }

  /** Breaks every connection; new ones are refused. */
  async cut(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async mend(): Promise<void> {
    this.server.listen(this.port, HOST);
    await once(this.server, 'listening');
  }

  #relay(client: Socket): void {
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
