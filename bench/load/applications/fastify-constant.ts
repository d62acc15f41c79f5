/** Fastify alone, sending one Buffer. */
import { fastify } from 'fastify';
import { constantBody, JSON_TYPE } from './constant-body.js';
import { settings } from './settings.js';

const { host, port, rows } = settings();
const body = constantBody(rows);
const server = fastify();

server.get('/users', (_, reply) => {
  void reply.header('content-type', JSON_TYPE).send(body);
});

await server.listen({ host, port });
