import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fastify, type FastifyInstance } from 'fastify';
import { Admission } from './admission.js';
import { BusyLog } from './busy-log.js';

/** More than begin in one turn, fewer than would be refused. */
const REQUESTS = 150;

const callers = new AsyncLocalStorage<string>();
let server: FastifyInstance;
let agent: Agent;
let answered: number;

beforeEach(async () => {
  server = fastify();
  agent = new Agent({ keepAlive: true, maxSockets: REQUESTS });
  answered = 0;
  server.addHook('onRequest', (request, _reply, begin) => {
    callers.run(String(request.headers['x-caller']), begin);
  });
  const busyLog = new BusyLog({ record: () => undefined });
  new Admission({ isCrowded: true, maxWaiting: 100 }, busyLog).addTo(server);
  server.get('/', () => {
    answered += 1;
    return callers.getStore();
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
});

afterEach(async () => {
  agent.destroy();
  await server.close();
});

function ask(caller: string, signal?: AbortSignal): Promise<string> {
  const { port } = server.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const options = { port, agent, headers: { 'x-caller': caller }, signal };
    get(options, (response) => {
      response.setEncoding('utf8').once('data', resolve).once('error', reject);
    }).once('error', reject);
  });
}

const names = Array.from({ length: REQUESTS }, (_, index) => `caller ${index}`);

it('keeps the asynchronous context of each request that had to wait', async () => {
  await Promise.all(names.map((name) => ask(name)));
  expect(await Promise.all(names.map((name) => ask(name)))).toEqual(names);
});

it('does not begin a request whose client disconnected while it waited', async () => {
  await Promise.all(names.map((name) => ask(name)));
  answered = 0;
  const gone = new AbortController();
  let arrived = 0;
  server.server.on('request', () => {
    arrived += 1;
    if (arrived === REQUESTS) gone.abort();
  });
  await Promise.allSettled(names.map((name) => ask(name, gone.signal)));
  await ask('the last');
  expect(answered).toBeLessThan(REQUESTS);
});
