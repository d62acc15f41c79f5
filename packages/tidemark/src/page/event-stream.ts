import type { ServerResponse } from 'node:http';

/** Bytes that may wait for a reader: some seconds of events under load. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** Server-sent events over one response. A reader that does not keep up is cut off. */
export class EventStream {
  /** @param endMs when the stream ends at the latest, in milliseconds since the Unix epoch. */
  constructor(
    private readonly response: ServerResponse,
    readonly endMs: number,
  ) {}

  send(text: string): void {
    const { response } = this;
    if (response.writableEnded || response.destroyed) return;
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
    else response.write(text);
  }

  /** Without waiting for a reader. */
  end(): void {
    if (this.response.writableLength > 0) this.response.destroy();
    else this.response.end();
  }
}

/** Keeps proxies and clients from taking the stream for dead. */
export const HEARTBEAT = ':\n\n';

export function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
