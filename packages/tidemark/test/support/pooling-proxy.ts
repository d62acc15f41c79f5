/** A proxy before PostgreSQL that sends a made-up process id, as connection poolers do. */
import { connect, createServer, type AddressInfo, type Server } from 'node:net';

/** The message BackendKeyData: its type, the length 12, then the process id. */
const BACKEND_KEY_DATA = Buffer.from([0x4b, 0, 0, 0, 12]);

export const MADE_UP_PROCESS = 1_234_567_890;

export class PoolingProxy {
  private constructor(
    private readonly server: Server,
    /** Of the same database, through the proxy. */
    readonly url: string,
  ) {}

  /** @param isPooling `false`: the process id is passed on. */
  static async start(databaseUrl: string, isPooling = true): Promise<PoolingProxy> {
    const target = new URL(databaseUrl);
    const { hostname, port } = target;
    const server = createServer((client) => {
      const upstream = connect(Number(port), hostname);
      client.pipe(upstream);
      upstream.on('data', (bytes: Buffer) => {
        const at = isPooling ? bytes.indexOf(BACKEND_KEY_DATA) : -1;
        if (at >= 0) bytes.writeInt32BE(MADE_UP_PROCESS, at + BACKEND_KEY_DATA.length);
        client.write(bytes);
      });
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on('close', () => other.destroy()).on('error', () => undefined);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    target.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new PoolingProxy(server, target.href);
  }

  close(): void {
    this.server.close();
  }
}
