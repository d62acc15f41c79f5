/** Refuses requests that the service must not or cannot accept (RFC 9110, RFC 9112). */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { BadRequestException, HttpException, UnsupportedMediaTypeException } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { refuseTunnel } from './client-error.js';
import { MAX_URL_LENGTH } from './limits.js';

/** A name, an IPv4 or a bracketed IPv6 address, and a port. Node joins two fields with a comma. */
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~%!$&'()*+;=-]+)(?::\d{0,5})?$/;
const OTHER_CHARSET = /;\s*charset\s*=\s*(?!"?utf-?8"?\s*(?:;|$))/i;

/** Accepts only JSON, and answers with problem documents where Node would answer itself. */
export function limitRequests(server: FastifyInstance): void {
  server.server.on('checkExpectation', (request, response) =>
    server.server.emit('request', request, response),
  );
  server.server.on('connect', refuseTunnel);
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.removeAllContentTypeParsers();
  server.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (request, body, done) => {
      const refusal = bodyRefusalOf(request.headers['content-type'], body);
      if (refusal) done(refusal);
      else void parseJson(request, body.toString(), done);
    },
  );
}

/** The reason to refuse a request, found from its head alone. */
export function headRefusalOf(request: IncomingMessage): HttpException | undefined {
  const { headers, httpVersion, method, url = '' } = request;
  if (headers.host === undefined ? httpVersion !== '1.0' : !HOST.test(headers.host)) {
    return new BadRequestException(
      'The Host header is missing, repeated or invalid: send one, such as example.com:3000.',
    );
  }
  if (url.length > MAX_URL_LENGTH) {
    return new HttpException(
      `The URL is longer than ${MAX_URL_LENGTH} characters: send a shorter one.`,
      414,
    );
  }
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    return new HttpException('The only supported expectation is 100-continue: send no other.', 417);
  }
  // `*` matches any representation of the target, and the collections that accept POST have one.
  if (method === 'POST' && (headers['if-match'] ?? '*') !== '*') {
    return new HttpException(
      'POST creates a resource, which has no ETag yet: send the request without If-Match.',
      412,
    );
  }
  const transfer = headers['transfer-encoding']?.toLowerCase() ?? 'chunked';
  if (transfer !== 'chunked') {
    return new HttpException('The only supported transfer coding is chunked: send no other.', 501);
  }
  const coding = headers['content-encoding']?.toLowerCase();
  if (!coding || coding === 'identity') return undefined;
  return new UnsupportedMediaTypeException({
    message: 'The body has a content coding: send it without Content-Encoding.',
    headers: { 'accept-encoding': 'identity' },
  });
}

function bodyRefusalOf(type = '', body: Buffer): HttpException | undefined {
  if (OTHER_CHARSET.test(type)) {
    return new UnsupportedMediaTypeException(
      'The body has another charset than UTF-8: send it as UTF-8.',
    );
  }
  return isUtf8(body)
    ? undefined
    : new BadRequestException('The body is not valid UTF-8: send it as UTF-8.');
}
