/** Real: Fastify. Where a body is sent as JSON.stringify makes it, and where anything else sees it. */
import { expect, it } from '@jest/globals';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import { isPlainReply, isPlainRoute, routeRecordOf } from './fastify-body.js';

type Configure = (server: FastifyInstance) => unknown;

async function isSentAsJson(
  configure: Configure,
  describe: (reply: FastifyReply) => unknown = () => undefined,
  method: 'GET' | 'HEAD' = 'GET',
): Promise<boolean | undefined> {
  const server = fastify();
  let answer: boolean | undefined;
  configure(server);
  server.get('/', (request, reply) => {
    describe(reply);
    const record = routeRecordOf(request);
    answer = record && isPlainRoute(record) && isPlainReply(reply);
    return '';
  });
  await server.inject({ method, url: '/' });
  await server.close();
  return answer;
}

const plainly: Configure = (server) => {
  server.addHook('onRequest', (_request, reply, done) => {
    void reply.header('vary', 'Origin');
    done();
  });
};

it.each(['GET', 'HEAD'] as const)(
  '%s of a route with hooks for other things: yes',
  async (method) => {
    expect(await isSentAsJson(plainly, undefined, method)).toBe(true);
  },
);

it.each<[string, Configure]>([
  [
    'preSerialization',
    (server) => server.addHook('preSerialization', async (_q, _r, data) => ({ data })),
  ],
  ['onSend', (server) => server.addHook('onSend', async (_q, _r, body) => body)],
  ['a reply serializer', (server) => server.setReplySerializer((data) => JSON.stringify({ data }))],
  [
    'a response schema',
    (server) =>
      server.addHook('onRoute', (route) => {
        route.schema = { response: { 200: { type: 'object', properties: {} } } };
      }),
  ],
])('%s: no', async (_name, configure) => {
  expect(await isSentAsJson(configure)).toBe(false);
});

it.each<[boolean, string, (reply: FastifyReply) => unknown]>([
  [true, 'a type of JSON', (reply) => reply.type('application/hal+json')],
  [true, 'a charset', (reply) => reply.type('application/json; charset=utf-8')],
  [false, 'another type', (reply) => reply.type('text/csv')],
  [false, 'a parameter', (reply) => reply.type('application/json; version=1')],
  [false, 'an entity tag', (reply) => reply.header('ETag', '"own"')],
  [false, 'a coding', (reply) => reply.header('content-encoding', 'gzip')],
  [false, 'a serializer of the reply', (reply) => reply.serializer(() => '')],
])('%s for a reply with %s', async (expected, _name, describe) => {
  expect(await isSentAsJson(plainly, describe)).toBe(expected);
});
