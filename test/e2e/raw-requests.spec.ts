/** Requests that no HTTP library sends: raw bytes over a real socket. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { connect, type AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { useLoggedService } from './support/logged-service.js';

interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

const CLOSE = 'Connection: close\r\n';
const JSON_TYPE = 'Content-Type: application/json\r\n';
const FIELDS = '"region":"US","email":"a@example.com"';
const HOST = 'Host: example.com\r\n';

describe('the service', () => {
  let app: NestFastifyApplication;

  useLoggedService(async (started) => {
    ({ app } = started);
  });
  beforeAll(() => app.listen(0, '127.0.0.1'));

  /** All answers that come until the service closes the connection. */
  const send = async (...parts: (string | Buffer)[]): Promise<RawAnswer> => {
    const socket = connect((app.getHttpServer().address() as AddressInfo).port, '127.0.0.1');
    const chunks: Buffer[] = [];
    for (const part of parts) socket.write(part);
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const end = text.indexOf('\r\n\r\n');
    return {
      status: Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1]),
      head: text.slice(0, end).toLowerCase(),
      body: text.slice(end + 4),
    };
  };

  const post = (body: string | Buffer, headers = JSON_TYPE): Promise<RawAnswer> =>
    send(
      `POST /users HTTP/1.1\r\n${HOST}${CLOSE}${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`,
      body,
    );

  const expectProblem = ({ status, head, body }: RawAnswer, expected: number): void => {
    expect(status).toBe(expected);
    expect(head).toContain('content-type: application/problem+json');
    const problem = JSON.parse(body) as { status: number; detail: string; requestId: string };
    expect(problem.status).toBe(expected);
    expect(problem.detail).toMatch(/\.$/);
    expect(head).toContain(`x-request-id: ${problem.requestId.toLowerCase()}`);
    expect(body.length).toBeLessThan(8_000);
  };

  const live = (headers: string, version = '1.1'): string =>
    `GET /health/live HTTP/${version}\r\n${headers}${CLOSE}\r\n`;

  it.each<[what: string, bytes: string, status: number]>([
    ['two Host fields', live('Host: a\r\nHost: b\r\n'), 400],
    ['two equal Host fields', live('Host: a\r\nHost: a\r\n'), 400],
    ['no Host field', live(''), 400],
    ['a Host that is none', live('Host: a b/c\r\n'), 400],
    ['an unknown expectation', live(`${HOST}Expect: foo\r\n`), 417],
    ['an unknown method', `FOO /users HTTP/1.1\r\n${HOST}\r\n`, 501],
    ['a method of another protocol', `PROPFIND /users HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 405],
    ['a whole URL', `PUT http://a/users HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`, 405],
    ['TRACE', `TRACE /users HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 405],
    ['CONNECT', `CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`, 501],
    ['OPTIONS of the service', `OPTIONS * HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 404],
    ['a long URL', `GET /users?a=${'x'.repeat(9_000)} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 414],
    ['a URL that is endless', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`, 414],
    ['a long path segment', `GET /users/${'9'.repeat(5_000)} HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 414],
    ['endless fields', live(`${HOST}A: ${'x'.repeat(20_000)}\r\n`), 431],
    [
      'two lengths',
      `POST /users HTTP/1.1\r\n${HOST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} `,
      400,
    ],
    [
      'an unknown transfer coding',
      `POST /users HTTP/1.1\r\n${HOST}${CLOSE}${JSON_TYPE}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
      501,
    ],
    [
      'a length and chunks',
      `POST /users HTTP/1.1\r\n${HOST}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`,
      400,
    ],
  ])('answers %s with a problem document', async (_what, bytes, status) => {
    expectProblem(await send(bytes), status);
  });

  it.each<[what: string, bytes: string, status: number]>([
    ['HTTP/1.0 without Host', live('', '1.0'), 200],
    ['a port in Host', live('Host: [::1]:3000\r\n'), 200],
    ['a whole URL', `GET http://a/health/live HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`, 200],
    ['HEAD', `HEAD /health/ready HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, 200],
  ])('takes %s', async (_what, bytes, status) => {
    expect((await send(bytes)).status).toBe(status);
  });

  it('asks for a body when the client expects 100-continue', async () => {
    const body = '{"username":"asked","region":"US","email":"a@example.com"}';
    const answer = await post(body, `${JSON_TYPE}Expect: 100-continue\r\n`);
    expect(answer.status).toBe(100);
    expect(answer.body).toMatch(/^HTTP\/1.1 201 /);
  });

  it.each(['', 'identity'])('accepts a body with the content coding "%s"', async (coding) => {
    const body = `{"username":"coded-${coding}",${FIELDS}}`;
    expect((await post(body, `${JSON_TYPE}Content-Encoding: ${coding}\r\n`)).status).toBe(201);
  });

  it('refuses encoded bodies, and names the accepted encodings', async () => {
    const answer = await post(gzipSync('{}'), `${JSON_TYPE}Content-Encoding: gzip\r\n`);
    expectProblem(answer, 415);
    expect(answer.head).toContain('\r\naccept-encoding: identity');
    expect(answer.body).toContain('Content-Encoding');
  });

  it.each<[what: string, body: string | Buffer, headers: string, status: number]>([
    ['another charset', '{}', 'Content-Type: application/json; charset=latin1\r\n', 415],
    [
      'bytes that are no UTF-8',
      Buffer.from(`{"username":"\xe9",${FIELDS}}`, 'latin1'),
      JSON_TYPE,
      400,
    ],
    ['a key of 1.9 MB', `{"${'k'.repeat(1_900_000)}":1}`, JSON_TYPE, 400],
    ['a deep body', `${'['.repeat(900_000)}${']'.repeat(900_000)}`, JSON_TYPE, 400],
    [
      'very many keys',
      `{${Array.from({ length: 200_000 }, (_, index) => `"${index}":1`).join()}}`,
      JSON_TYPE,
      400,
    ],
    ['a key of the prototype', '{"__proto__":{"a":1}}', JSON_TYPE, 400],
    ['a long media type', '{}', `Content-Type: ${'x'.repeat(5_000)}/y\r\n`, 415],
  ])('answers a body with %s briefly', async (_what, body, headers, status) => {
    expectProblem(await post(body, headers), status);
  });

  it('accepts UTF-8 by its name', async () => {
    const body = '{"username":"zoë","region":"US","email":"z@example.com"}';
    const type = 'Content-Type: application/json; charset="UTF-8"\r\n';
    expect((await post(body, type)).status).toBe(201);
  });

  it.each(['/docs', '/docs/json', '/docs/swagger-ui-bundle.js'])(
    'sends %s compressed, and only to clients without it',
    async (path) => {
      const ask = (headers = {}) => app.inject({ url: path, headers });
      const plain = await ask();
      const coded = await ask({ 'accept-encoding': 'gzip, br' });
      expect(coded.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
      expect(coded.headers.etag).not.toBe(plain.headers.etag);
      expect(plain.headers).not.toHaveProperty('content-encoding');
      const refused = await ask({ 'accept-encoding': 'gzip;q=0' });
      // A matcher would compare a megabyte byte by byte.
      expect(refused.rawPayload.equals(plain.rawPayload)).toBe(true);
      const again = await ask({ 'if-none-match': `"x", ${plain.headers.etag}` });
      expect([again.statusCode, again.rawPayload.length]).toEqual([304, 0]);
    },
  );
});
