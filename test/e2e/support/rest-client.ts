/** The requests of a client of the service, independent of the transport. */
import { eventually } from '../../support/eventually.js';
import type { Answer } from './answer.js';

export type Headers = Readonly<Record<string, string>>;
export type Method = 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'DELETE';

export interface Request {
  readonly method: Method;
  readonly path: string;
  readonly headers: Headers;
  readonly payload: string | undefined;
}

export abstract class RestClient {
  get(path: string, headers?: Headers): Promise<Answer> {
    return this.#request('GET', path, undefined, headers);
  }

  head(path: string, headers?: Headers): Promise<Answer> {
    return this.#request('HEAD', path, undefined, headers);
  }

  /** A string is sent as it is, anything else as JSON. */
  post(path: string, body: unknown, headers?: Headers): Promise<Answer> {
    return this.#request('POST', path, body, headers);
  }

  patch(path: string, body: unknown, headers?: Headers): Promise<Answer> {
    return this.#request('PATCH', path, body, headers);
  }

  delete(path: string, headers?: Headers): Promise<Answer> {
    return this.#request('DELETE', path, undefined, headers);
  }

  /** Reads until the answer comes from the cache, and returns it. */
  warm(path: string): Promise<Answer> {
    return this.#until(path, (answer) => answer.cache === 'hit');
  }

  /** Reads until no write to regions of the answer is under way. */
  settled(path: string): Promise<Answer> {
    return this.#until(path, (answer) => answer.cache !== 'bypass');
  }

  protected abstract send(request: Request): Promise<Answer>;

  #request(method: Method, path: string, body?: unknown, headers: Headers = {}): Promise<Answer> {
    const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const type: Headers = payload === undefined ? {} : { 'content-type': 'application/json' };
    return this.send({ method, path, headers: { ...type, ...headers }, payload });
  }

  #until(path: string, isWanted: (answer: Answer) => boolean): Promise<Answer> {
    return eventually(async () => {
      const answer = await this.get(path);
      if (isWanted(answer)) return answer;
      throw new Error(`GET ${path}: ${answer.status} ${answer.headers['cache-status']}`);
    });
  }
}
