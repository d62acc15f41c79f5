/**
 * One persistent HTTP/1.1 connection for one request at a time. It does as little as it can, so that the service
 * bounds the load that one thread makes.
 */
import { createConnection, type Socket } from 'node:net';

const HOST = '127.0.0.1';
const HEAD_END = '\r\n\r\n';
const NOTHING = Buffer.alloc(0);

export interface HttpAnswer {
  readonly status: number;
  /** Status line and headers. */
  readonly head: string;
  readonly body: Buffer;
}

/** No answer has come. */
export class NoAnswerError extends Error {
  constructor(
    override readonly cause: 'refused' | 'cut' | 'late' | 'garbled',
    /** Whether the service may have got the whole request. */
    readonly mayHaveArrived: boolean,
    detail: string,
  ) {
    super(`No answer (${cause}): ${detail}`);
  }
}

/** The ways in which a client breaks off a request. */
export interface Cut {
  /** Share of the request that is sent, 0 to 1. */
  readonly share: number;
  /** Delay until the connection is closed, in milliseconds. */
  readonly afterMs: number;
}

interface Exchange {
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: NoAnswerError) => void;
}

export class HttpConnection {
  #socket: Socket | undefined;
  #exchange: Exchange | undefined;
  #received: Buffer = NOTHING;
  #port = 0;
  #isConnected = false;
  #isWhole = true;

  /**
   * Sends a request to the port and waits for the answer.
   * @throws NoAnswerError
   */
  request(port: number, request: string, limitMs: number, cut?: Cut): Promise<HttpAnswer> {
    if (this.#exchange) throw new Error('One request at a time');
    const answer = new Promise<HttpAnswer>((resolve, reject) => {
      this.#exchange = { resolve, reject };
    });
    if (this.#port !== port) this.#drop();
    this.#port = port;
    this.#socket ??= this.#connect(port);
    this.#isWhole = cut === undefined || cut.share >= 1;
    const socket = this.#socket;
    socket.setTimeout(limitMs);
    if (!cut) {
      socket.write(request);
      return answer;
    }
    socket.write(request.slice(0, Math.floor(request.length * cut.share)), () => {
      setTimeout(() => this.#fail(socket, 'cut', 'by the client'), cut.afterMs);
    });
    return answer;
  }

  /** A request under way fails. */
  close(): void {
    const socket = this.#socket;
    if (socket) this.#fail(socket, 'cut', 'closed by the client');
  }

  #drop(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect(port: number): Socket {
    const socket = createConnection({ host: HOST, port, noDelay: true });
    this.#isConnected = false;
    this.#received = NOTHING;
    socket.on('connect', () => (this.#isConnected = true));
    socket.on('data', (chunk) => this.#take(socket, chunk));
    socket.on('timeout', () => this.#fail(socket, 'late', 'the time is over'));
    socket.on('error', (error) => {
      this.#fail(socket, this.#isConnected ? 'cut' : 'refused', error.message);
    });
    socket.on('close', () => this.#fail(socket, 'cut', 'by the service'));
    return socket;
  }

  #fail(socket: Socket, cause: NoAnswerError['cause'], detail: string): void {
    if (socket !== this.#socket) return;
    const exchange = this.#exchange;
    this.#socket = undefined;
    this.#exchange = undefined;
    socket.destroy();
    const mayHaveArrived = this.#isConnected && this.#isWhole;
    exchange?.reject(new NoAnswerError(cause, mayHaveArrived, detail));
  }

  #take(socket: Socket, chunk: Buffer): void {
    if (socket !== this.#socket) return;
    const received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headLength = received.indexOf(HEAD_END);
    if (headLength < 0) return void (this.#received = received);
    const head = received.toString('latin1', 0, headLength);
    const status = Number(head.slice(9, 12));
    const length = status === 304 || status === 204 ? 0 : contentLength(head);
    if (length === undefined) return this.#fail(socket, 'garbled', head);
    const end = headLength + HEAD_END.length + length;
    if (received.length < end) return void (this.#received = received);
    this.#received = NOTHING;
    const exchange = this.#exchange;
    if (!exchange || received.length > end) return this.#fail(socket, 'garbled', 'too much');
    this.#exchange = undefined;
    const body = received.subarray(headLength + HEAD_END.length, end);
    if (/\r\nconnection: close/i.test(head)) {
      this.#socket = undefined;
      socket.destroy();
    }
    exchange.resolve({ status, head, body });
  }
}

export function headerOf(head: string, name: string): string | undefined {
  const start = head.toLowerCase().indexOf(`\r\n${name}: `);
  if (start < 0) return undefined;
  const from = start + name.length + 4;
  const end = head.indexOf('\r\n', from);
  return head.slice(from, end < 0 ? undefined : end);
}

function contentLength(head: string): number | undefined {
  const value = headerOf(head, 'content-length');
  return value === undefined ? undefined : Number(value);
}
