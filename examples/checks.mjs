/** Checks of the HTTP answers of each example. A check throws where an answer differs. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const USERS = 40;
/** An id larger than the column's type, which PostgreSQL refuses. */
const REFUSED_ID = 99_999_999_999;
const LIMIT_MS = 15_000;

export const httpChecks = {
  'the first answer is a miss, the second a hit': async (client) => {
    for (let at = 0; at < USERS; at += 1) await client.create(`user-${at}`, 'US');
    await client.create('someone', 'EU');
    const miss = await client.outsideDoubt('/users?region=US');
    assert.match(miss.outcome, /fwd=miss; stored/);
    assert.equal(JSON.parse(miss.body).length, USERS);
    const hit = await client.get('/users?region=US');
    assert.match(hit.outcome, /; hit/);
    assert.equal(hit.body, miss.body);
    assert.equal(hit.headers.get('content-type'), miss.headers.get('content-type'));
  },

  'a hit has the headers of the query': async (client) => {
    const { headers } = await client.hit('/users?region=US');
    assert.equal(headers.get('x-total-count'), String(USERS));
  },

  'a client that has the answer gets 304': async (client) => {
    const { headers } = await client.hit('/users?region=US');
    const tag = headers.get('etag');
    const unchanged = await client.get('/users?region=US', { 'if-none-match': tag });
    assert.equal(unchanged.status, 304);
    assert.equal(unchanged.body, '');
    assert.equal(unchanged.headers.get('etag'), tag);
  },

  'a client that accepts gzip gets a compressed hit': async (client) => {
    const { body } = await client.hit('/users?region=US');
    const compressed = await client.get('/users?region=US', { 'accept-encoding': 'gzip' });
    assert.equal(compressed.headers.get('content-encoding'), 'gzip');
    assert.match(compressed.headers.get('vary'), /accept-encoding/i);
    assert.match(compressed.outcome, /; hit/);
    assert.equal(compressed.body, body);
  },

  'a write ends the answers of its region, and no others': async (client) => {
    await client.hit('/users?region=US');
    const other = await client.hit('/users?region=EU');
    await client.create('newcomer', 'US');
    const fresh = await client.get('/users?region=US');
    assert.doesNotMatch(fresh.outcome, /; hit/);
    assert.equal(JSON.parse(fresh.body).at(-1).username, 'newcomer');
    const unchanged = await client.get('/users?region=EU');
    assert.match(unchanged.outcome, /; hit/);
    assert.equal(unchanged.body, other.body);
  },

  'a missing row is a 404, which is stored too': async (client) => {
    const missing = await client.outsideDoubt('/users/999999');
    assert.equal(missing.status, 404);
    const again = await client.hit('/users/999999');
    assert.equal(again.status, 404);
    assert.match(again.body, /There is no user 999999/);
  },

  'an error of the database is a 500, and is not stored': async (client) => {
    for (let times = 0; times < 2; times += 1) {
      const failed = await client.get(`/users/${REFUSED_ID}`);
      assert.equal(failed.status, 500);
      assert.doesNotMatch(failed.outcome, /; hit/);
    }
    assert.equal((await client.get('/users/1')).status, 200);
  },

  'a guard refuses clients although the answer is stored': async (client) => {
    const allowed = { 'x-api-key': 'secret' };
    assert.equal((await client.get('/users/1/private')).status, 403);
    assert.equal((await client.hit('/users/1/private', allowed)).status, 200);
    assert.equal((await client.get('/users/1/private')).status, 403);
  },

  'the page has the query, and names the route of a write': async (client, { env }) => {
    assert.equal((await client.get('/tidemark/api/overview')).status, 401);
    const authorization = `Bearer ${env.TIDEMARK_TOKEN}`;
    const page = await client.get('/tidemark/', { authorization });
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type'), /^text\/html/);
    const read = async (path) => {
      const { status, body } = await client.get(`/tidemark/api/${path}`, { authorization });
      assert.equal(status, 200, body);
      return JSON.parse(body);
    };
    assert.equal(
      (await read('queries')).some(({ query }) => query === 'users.in-region'),
      true,
    );
    await client.create('seen', 'EU');
    const origins = (await read('writes')).map(({ origin }) => origin);
    assert.equal(origins.includes('POST /users'), true, `the origins are ${origins}`);
  },

  'clients that leave early cost the others nothing': async (client) => {
    await client.create('last', 'US');
    await Promise.all(Array.from({ length: 5 }, () => client.leave('/users?region=US')));
    const { body } = await client.hit('/users?region=US');
    assert.equal(JSON.parse(body).at(-1).username, 'last');
  },
};

export class Client {
  constructor(url) {
    this.url = url;
  }

  async get(path, headers = {}) {
    const answer = await fetch(this.url + path, {
      headers: { 'accept-encoding': 'identity', ...headers },
    });
    return {
      status: answer.status,
      headers: answer.headers,
      outcome: answer.headers.get('cache-status') ?? '',
      body: await answer.text(),
    };
  }

  async create(username, region) {
    const { status } = await this.post('/users', { username, region });
    assert.equal(status, 201);
  }

  async post(path, body) {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(this.url + path, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: await answer.text() };
  }

  /** The first answer that a write under way does not keep out of the cache. */
  outsideDoubt(path) {
    return this.#until(path, {}, ({ outcome }) => !outcome.includes('fwd=bypass'));
  }

  /** The first answer that comes from the cache. */
  hit(path, headers) {
    return this.#until(path, headers, ({ outcome }) => outcome.includes('; hit'));
  }

  /** Sends the request, and closes the connection before the answer. */
  async leave(path) {
    const { host, hostname, port } = new URL(this.url);
    const socket = createConnection({ host: hostname, port: Number(port) });
    await once(socket, 'connect');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await pause(1);
    socket.destroy();
  }

  async #until(path, headers, isMeant) {
    const limitMs = performance.now() + LIMIT_MS;
    for (;;) {
      const answer = await this.get(path, headers);
      if (isMeant(answer)) return answer;
      if (performance.now() > limitMs) {
        throw new Error(`${path}: the last Cache-Status was ${answer.outcome || 'missing'}`);
      }
      await pause(20);
    }
  }
}
