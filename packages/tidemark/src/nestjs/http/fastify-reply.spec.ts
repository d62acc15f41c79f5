/** Real: Fastify. Whether it sends a body as JSON.stringify encodes it, or other code sees the body. */
import { expect, it } from 'vitest';
import { fastify, type FastifyInstance, type FastifyReply } from 'fastify';
import { FASTIFY } from './fastify-reply.js';

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
    const route = FASTIFY.routeOf(request);
    answer = route && FASTIFY.isPlainRoute(route) && FASTIFY.isPlainReply(reply);
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
  'a route with hooks that do not see the body, %s: sent as JSON',
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
])('a route with %s: not sent as JSON', async (_name, configure) => {
  expect(await isSentAsJson(configure)).toBe(false);
});

it.each<[boolean, string, (reply: FastifyReply) => unknown]>([
  [true, 'a JSON media type', (reply) => reply.type('application/hal+json')],
  [true, 'a charset', (reply) => reply.type('application/json; charset=utf-8')],
  [false, 'another media type', (reply) => reply.type('text/csv')],
  [false, 'a media type parameter', (reply) => reply.type('application/json; version=1')],
  [false, 'an entity tag', (reply) => reply.header('ETag', '"own"')],
  [false, 'a content coding', (reply) => reply.header('content-encoding', 'gzip')],
  [false, 'a serializer of the reply', (reply) => reply.serializer(() => '')],
])('sent as JSON: %s for a reply with %s', async (expected, _name, describe) => {
  expect(await isSentAsJson(plainly, describe)).toBe(expected);
});
