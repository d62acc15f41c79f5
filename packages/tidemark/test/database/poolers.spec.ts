/** Real: PostgreSQL behind a proxy that sends a made-up process id, as connection poolers do. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { CachedApplication } from '../support/cached-application.js';
import { Part } from '../start/started-application.js';

/** The message BackendKeyData: its type, the length 12, then the process id. */
const BACKEND_KEY_DATA = Buffer.from([0x4b, 0, 0, 0, 12]);

let server: Server;
let url: string;
let isPooling: boolean;

beforeEach(async () => {
  const target = new URL(await createDatabase());
  const { hostname, port } = target;
  server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    client.pipe(upstream);
    upstream.on('data', (bytes: Buffer) => {
      const at = isPooling ? bytes.indexOf(BACKEND_KEY_DATA) : -1;
      if (at >= 0) bytes.writeInt32BE(1_234_567_890, at + BACKEND_KEY_DATA.length);
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
  url = target.href;
});

afterEach(() => {
  server.close();
});

const start = () =>
  CachedApplication.start({ databaseUrl: url, entities: [Part], synchronize: true });

it('an application behind a connection pooler does not start, and the message names the remedy', async () => {
  isPooling = true;
  await expect(start()).rejects.toThrow(
    /"default" \(database .*\) leads to a connection pooler such as PgBouncer.*1234567890.*address of PostgreSQL itself/,
  );
});

it('an application behind a proxy that passes the process id on starts', async () => {
  isPooling = false;
  await (await start()).stop();
});
