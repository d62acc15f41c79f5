/** Real HTTP to a Nest application on a free port. */
import { once } from 'node:events';
import {
  request,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';

export interface HttpRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly rawPayload: Buffer;
  json(): unknown;
}

export function send(app: INestApplication, asked: HttpRequest): ClientRequest {
  const { url, method = 'GET', headers = {} } = asked;
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const sent = request({ host: '127.0.0.1', port, path: url, method, headers, agent: false });
  return sent.end();
}

/** Sends the request, and resolves with the answer as it was sent, without decoding it. */
export async function inject(app: INestApplication, asked: HttpRequest): Promise<HttpAnswer> {
  const sent = send(app, asked);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const rawPayload = Buffer.from(await text(answer.setEncoding('latin1')), 'latin1');
  const body = rawPayload.toString();
  return {
    statusCode: answer.statusCode ?? 0,
    headers: answer.headers,
    body,
    rawPayload,
    json: () => JSON.parse(body) as unknown,
  };
}
