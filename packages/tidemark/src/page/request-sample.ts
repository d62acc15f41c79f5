import type { LiveRequest } from '../observe/report.js';
import type { LiveRequests } from './page-api.js';

/** Requests in one event. */
const MAX_REQUESTS = 50;

/** A random sample of the requests between two events, in which each request has the same chance. */
export class RequestSample {
  #requests: LiveRequest[] = [];
  #count = 0;

  /** @param random from 0 to below 1. */
  constructor(private readonly random: () => number = Math.random) {}

  add(request: LiveRequest): void {
    this.#count += 1;
    if (this.#requests.length < MAX_REQUESTS) {
      this.#requests.push(request);
      return;
    }
    const place = Math.floor(this.random() * this.#count);
    if (place < MAX_REQUESTS) this.#requests[place] = request;
  }

  /** Returns the sample in the order of time and empties it; `undefined`: there was no request. */
  take(): LiveRequests | undefined {
    if (this.#count === 0) return undefined;
    const requests = this.#requests.toSorted((a, b) => a.atMs - b.atMs);
    const leftOut = this.#count - requests.length;
    this.#requests = [];
    this.#count = 0;
    return { requests, leftOut };
  }
}
