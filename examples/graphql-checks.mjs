/** Checks of the GraphQL and microservice example. Its log has the outcome of each answer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const LIST = '{ users(region: "US") { id username } }';
const LIMIT_MS = 15_000;

const create = (username, region) =>
  `mutation { createUser(username: "${username}", region: "${region}") { id } }`;

async function ask(client, query) {
  const { status, body } = await client.post('/graphql', { query });
  const { data, errors } = JSON.parse(body);
  assert.equal(status, 200, body);
  assert.equal(errors, undefined, body);
  return data;
}

/** Sends a message as Nest's TCP transport does: its length, `#` and JSON. */
async function send(port, pattern, data) {
  const socket = createConnection({ port: Number(port), host: '127.0.0.1' });
  const message = JSON.stringify({ id: '1', pattern, data });
  socket.setEncoding('utf8').write(`${message.length}#${message}`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  return JSON.parse(answer.slice(answer.indexOf('#') + 1)).response;
}

/** Asks until the log says that the answer came from the cache. */
async function untilHit(output, question) {
  const limitMs = performance.now() + LIMIT_MS;
  for (;;) {
    const before = output().length;
    const answer = await question();
    if (output().slice(before).includes('users.in-region: hit')) return answer;
    assert.ok(performance.now() < limitMs, 'no answer came from the cache');
    await pause(20);
  }
}

export const graphqlChecks = {
  'a GraphQL query is answered from the cache': async (client, { output }) => {
    await ask(client, create('ann', 'US'));
    const { users } = await untilHit(output, () => ask(client, LIST));
    assert.deepEqual(users, [{ id: 1, username: 'ann' }]);
  },

  'a mutation ends the answers of its region': async (client, { output }) => {
    await untilHit(output, () => ask(client, LIST));
    await ask(client, create('bob', 'US'));
    const { users } = await ask(client, LIST);
    assert.deepEqual(users.at(-1), { id: 2, username: 'bob' });
  },

  'a message is answered from the cache with the values of the rows': async (_client, example) => {
    const question = () => send(example.env.TCP_PORT, 'users.in-region', { region: 'US' });
    const users = await untilHit(example.output, question);
    assert.deepEqual(users[0], { id: 1, username: 'ann', region: 'US' });
  },
};
