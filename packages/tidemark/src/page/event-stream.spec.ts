import { expect, it } from 'vitest';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { EventStream } from './event-stream.js';

const MEGABYTE = 'x'.repeat(1024 * 1024);

it('a client that does not read: it is cut off after some megabytes', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1').pause();
  client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  const stream = new EventStream(response, Infinity);
  let sent = 0;
  for (; sent < 100 && !response.destroyed; sent += 1) {
    stream.send(MEGABYTE);
    await turn();
  }
  expect(response.destroyed).toBe(true);
  expect(sent).toBeGreaterThan(1);
  // Nothing is left to do for what is over.
  stream.send(MEGABYTE);
  stream.end();
  client.destroy();
  server.close();
  await once(server, 'close');
});
