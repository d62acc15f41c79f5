/**
 * Checks whether Express would send a body exactly as `JSON.stringify` encodes it, and sends bytes past its `json` and
 * `send`, which would compute another entity tag and another 304. Middleware can replace the methods of a response:
 * then the result is no, except for the package `compression`, which leaves a body alone that is encoded already.
 */
import type { ServerResponse } from 'node:http';
import { describesOtherBody, type HttpReply, type ReplyBodies } from './http-reply.js';

interface Application {
  /** The value of a setting. */
  get(name: string): unknown;
}

interface Response extends ServerResponse {
  readonly app: Application;
  readonly json: Function;
  readonly send: Function;
}

/** `send` of Express replaces any other charset. */
const JSON_TYPE = /^[a-z]+\/([a-z0-9.!#$&^_-]+\+)?json(; charset=utf-8)?$/;

/** The first bytes of objects and lists. */
const BRACKETS = new Set<number | undefined>([0x7b, 0x5b]);

/** Settings that change the JSON text. */
const JSON_SETTINGS = ['json replacer', 'json spaces', 'json escape'];

/** Express sends no body with them. */
const WITHOUT_BODY = [204, 205];

export const EXPRESS: ReplyBodies = {
  routeOf: (request) => (request as { readonly route?: object }).route,
  isPlainRoute: () => true,
  // Nest sends other values as text.
  sendsAsJson: (body) => BRACKETS.has(typeof body === 'string' ? body.charCodeAt(0) : body[0]),
  isPlainReply: (reply) => {
    const response = responseOf(reply);
    return (
      hasOwnEncoding(response) &&
      (!isWrapped(response) || isCompression(response)) &&
      !WITHOUT_BODY.includes(response.statusCode) &&
      !describesOtherBody(reply, JSON_TYPE)
    );
  },
  mayCompress: (reply) => isWrapped(responseOf(reply)),
  send: (reply, bytes) => {
    const response = responseOf(reply);
    if (bytes === undefined) return response.end();
    response.setHeader('content-length', Buffer.byteLength(bytes));
    return response.req.method === 'HEAD' ? response.end() : response.end(bytes);
  },
};

function responseOf(reply: HttpReply): Response {
  return reply as unknown as Response;
}

/** Whether `json` and `send` are those of Express, without settings. */
function hasOwnEncoding({ app, json, send }: Response): boolean {
  return (
    isOfExpress(json, `'json escape'`) &&
    isOfExpress(send, `'etag fn'`) &&
    !JSON_SETTINGS.some((name) => Boolean(app.get(name)))
  );
}

const ofExpress = new WeakMap<Function, boolean>();

/** Methods of Express are recognised by their code: middleware and applications replace them in many places. */
function isOfExpress(method: Function, setting: string): boolean {
  let isOwn = ofExpress.get(method);
  if (isOwn === undefined) {
    isOwn = String(method).includes(setting);
    ofExpress.set(method, isOwn);
  }
  return isOwn;
}

function isWrapped(response: Response): boolean {
  return Object.hasOwn(response, 'end') || Object.hasOwn(response, 'write');
}

function sourceOf(response: Response, method: 'end' | 'write'): string {
  return String(Reflect.get(response, method));
}

/** `compression` can be recognised by its code alone. */
function isCompression(response: Response): boolean {
  return (
    Object.hasOwn(response, 'flush') &&
    sourceOf(response, 'end').includes('stream.end(') &&
    sourceOf(response, 'write').includes('stream.write(')
  );
}
