/** SIGTERM to the built service while clients are connected. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import pg from 'pg';
import { REQUEST_TIMEOUT_MS } from '../../src/http/limits.js';
import { eventually } from '../support/eventually.js';
import { ServiceProcess } from '../support/service-process.js';
import { createDatabase } from '../support/shared-postgres.js';

/** Those who have not sent a whole request are not waited for: that would take this time. */
const STOP_LIMIT_MS = REQUEST_TIMEOUT_MS;

const TOKEN = 'a-token-of-more-than-16';

describe('SIGTERM', () => {
  let databaseUrl: string;
  let service: ServiceProcess;
  let sockets: Socket[];

  beforeEach(async () => {
    databaseUrl = await createDatabase();
    sockets = [];
    service = await ServiceProcess.start({
      env: {
        DATABASE_URL: databaseUrl,
        SEED_USERS: '10',
        SHUTDOWN_DRAIN_MS: '1500',
        LOG_LEVEL: 'warn',
        CACHE_ADMIN_TOKEN: TOKEN,
      },
    });
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await service.stop();
  });

  const open = async (bytes: string): Promise<Socket> => {
    const socket = connect(service.port, '127.0.0.1').on('error', () => undefined);
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write(bytes);
    return socket;
  };

  const timedTerm = async (): Promise<[exit: unknown, isInTime: boolean]> => {
    const startMs = performance.now();
    const exit = await service.term();
    return [exit, performance.now() - startMs < STOP_LIMIT_MS];
  };

  it('ends with 0 at once although connections have sent nothing, or a part of a request', async () => {
    await open('');
    await open('GET /users/1 HTTP/1.1\r\nHost:');
    const body = 'Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"username":';
    await open(`POST /users HTTP/1.1\r\nHost: x\r\n${body}`);
    await open('GET /users/1 HTTP/1.1\r\nHost: x\r\n\r\n');
    // All that was sent has arrived when a later request is answered.
    await service.fetch('/users/2');
    expect(await timedTerm()).toEqual([0, true]);
  });

  it('ends the streams of open pages, and then with 0', async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const stream = await service.fetch('/tidemark/api/live', { headers });
    expect(stream.status).toBe(200);
    const body = stream.body as ReadableStream<Uint8Array<ArrayBuffer>>;
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    let part = await reader.read();
    for (; !part.done; part = await reader.read()) {
      text += part.value;
      if (text.includes('event: overview')) break;
    }
    expect(text).toContain('event: overview');
    expect(await timedTerm()).toEqual([0, true]);
    while (!part.done) part = await reader.read();
  });

  it('answers the request under way, refuses readiness meanwhile, and ends after the answer', async () => {
    const holder = new pg.Client({ connectionString: databaseUrl });
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
      const agent = new Agent({ keepAlive: true });
      const answer = request('/users/3', agent);
      await eventually(async () => {
        const { rows } = await holder.query('SELECT 1 FROM pg_locks WHERE NOT granted');
        expect(rows).not.toEqual([]);
      });
      const term = timedTerm();
      await eventually(async () => {
        const ready = await service.fetch('/health/ready');
        expect(ready.status).toBe(503);
        expect(ready.headers.get('connection')).toBe('close');
        expect(await ready.json()).toMatchObject({ details: { service: { status: 'down' } } });
      });
      await holder.query('COMMIT');
      const { statusCode, headers } = await answer;
      expect([statusCode, headers.connection]).toEqual([200, 'close']);
      expect(await term).toEqual([0, true]);
    } finally {
      await holder.end();
    }
  });

  it('cuts off none of the requests of 100 clients that keep their connections', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 100 });
    const outcomes = new Map<string, number>();
    const client = async (): Promise<void> => {
      for (let id = 1; ; id += 1) {
        const outcome = await request(`/users/${(id % 10) + 1}`, agent).then(
          ({ statusCode }) => String(statusCode),
          (error: NodeJS.ErrnoException) => error.code ?? error.message,
        );
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (outcome !== '200') return;
      }
    };
    const clients = Promise.all(Array.from({ length: 100 }, client));
    await eventually(async () => {
      expect(outcomes.get('200')).toBeGreaterThan(500);
    });
    expect(await service.term()).toBe(0);
    await clients;
    expect([...outcomes.keys()].toSorted()).toEqual(['200', 'ECONNREFUSED']);
  });

  function request(path: string, agent: Agent): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = get(`${service.url}${path}`, { agent }, (answer) => {
        answer.on('end', () => resolve(answer)).on('error', reject);
        answer.resume();
      });
      sent.on('error', reject);
    });
  }
});
