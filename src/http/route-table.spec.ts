import { describe, expect, it } from 'vitest';
import { fastify } from 'fastify';
import { RouteTable } from './route-table.js';

describe('RouteTable', () => {
  it('returns the methods that a path accepts, sorted', () => {
    const server = fastify();
    const routes = new RouteTable(server);
    server.get('/users', () => '');
    server.post('/users', () => '');
    server.delete('/users/:id', () => '');
    server.post('/regions/:region/move', () => '');
    server.get('/files/*', () => '');
    server.get('/a.b', () => '');
    const cases = {
      '/users': ['GET', 'HEAD', 'POST'],
      '/users/7': ['DELETE'],
      '/users/7/8': [],
      '/users/': [],
      '/regions/US/move': ['POST'],
      '/files/a/b': ['GET', 'HEAD'],
      '/a.b': ['GET', 'HEAD'],
      '/axb': [],
    };
    const found = Object.keys(cases).map((path) => [path, routes.methodsOf(path)]);
    expect(Object.fromEntries(found)).toEqual(cases);
  });
});
