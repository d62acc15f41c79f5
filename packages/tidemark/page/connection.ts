/** The connection to the service: the overview every 2 seconds, requests as they come, and what becomes of it. */
import type { LiveRequests, Overview } from '../src/page/page-api.js';
import { ApiError, apiUrl, getJson, messageOf } from './api.js';

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'signed-out'; readonly message: string }
  | { readonly kind: 'live' }
  /** The service answers, and refuses the stream. */
  | { readonly kind: 'polling' }
  | { readonly kind: 'lost'; readonly message: string; readonly retryAtMs: number };

type Listener = () => void;
type RequestsListener = (requests: LiveRequests) => void;

const RETRY_MS = 1_000;
const MAX_RETRY_MS = 15_000;
/** A stream that ends sooner is not opened again at once. */
const MIN_OPEN_MS = 10_000;
const POLL_MS = 5_000;
/** The service sends every 2 seconds: a stream that is silent this long is dead. */
const SILENT_MS = 12_000;

export class Connection {
  state: ConnectionState = { kind: 'connecting' };
  overview: Overview | undefined;

  #source: string | undefined;
  #stream: EventSource | undefined;
  #timer = 0;
  #watchdog = 0;
  #retryMs = RETRY_MS;
  /** Answers for an earlier data source are dropped. */
  #generation = 0;
  readonly #listeners = new Set<Listener>();
  readonly #requestListeners = new Set<RequestsListener>();

  /** Calls the listener after each change; the function returned ends that. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onRequests(listener: RequestsListener): () => void {
    this.#requestListeners.add(listener);
    return () => this.#requestListeners.delete(listener);
  }

  open(source: string | undefined): void {
    if (source !== this.#source) this.overview = undefined;
    this.#source = source;
    this.#retryMs = RETRY_MS;
    void this.#connect();
  }

  retryNow(): void {
    void this.#connect();
  }

  signedOut(message: string): void {
    this.#stop();
    this.overview = undefined;
    this.#become({ kind: 'signed-out', message });
  }

  #stop(): void {
    this.#generation += 1;
    window.clearTimeout(this.#timer);
    window.clearTimeout(this.#watchdog);
    this.#stream?.close();
    this.#stream = undefined;
  }

  async #connect(): Promise<void> {
    this.#stop();
    const generation = this.#generation;
    try {
      const overview = await getJson<Overview>('overview', this.#source);
      if (generation !== this.#generation) return;
      this.#take(overview);
      this.#openStream();
    } catch (error) {
      if (generation !== this.#generation) return;
      if (error instanceof ApiError && error.isSignedOut) this.signedOut(error.message);
      else this.#lose(messageOf(error));
    }
  }

  #openStream(): void {
    const stream = new EventSource(apiUrl('live', this.#source));
    this.#stream = stream;
    let openedAtMs: number | undefined;
    stream.addEventListener('open', () => {
      openedAtMs = Date.now();
      this.#retryMs = RETRY_MS;
      this.#watch();
      this.#become({ kind: 'live' });
    });
    stream.addEventListener('overview', (event: MessageEvent<string>) => {
      this.#watch();
      this.#take(JSON.parse(event.data) as Overview);
    });
    stream.addEventListener('requests', (event: MessageEvent<string>) => {
      const requests = JSON.parse(event.data) as LiveRequests;
      for (const listener of this.#requestListeners) listener(requests);
    });
    stream.addEventListener('error', () => {
      if (stream !== this.#stream) return;
      if (openedAtMs === undefined) this.#poll();
      // The service ends a stream after some time, which is nothing to report.
      else if (Date.now() - openedAtMs > MIN_OPEN_MS) void this.#connect();
      else this.#lose('The connection to the service was lost.');
    });
  }

  #watch(): void {
    window.clearTimeout(this.#watchdog);
    this.#watchdog = window.setTimeout(() => {
      this.#lose('The service has sent nothing for some time.');
    }, SILENT_MS);
  }

  #poll(): void {
    this.#stop();
    this.#timer = window.setTimeout(() => void this.#connect(), POLL_MS);
    this.#become({ kind: 'polling' });
  }

  #lose(message: string): void {
    this.#stop();
    this.#timer = window.setTimeout(() => void this.#connect(), this.#retryMs);
    this.#become({ kind: 'lost', message, retryAtMs: Date.now() + this.#retryMs });
    this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2);
  }

  #take(overview: Overview): void {
    this.overview = overview;
    this.#notify();
  }

  #become(state: ConnectionState): void {
    this.state = state;
    this.#notify();
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
