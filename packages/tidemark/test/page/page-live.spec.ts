/** The stream of events, and the ways in which it ends. Real: HTTP, PostgreSQL. */
import { afterEach, describe, expect, it } from 'vitest';
import { CachePage, type LiveRequests, type Overview } from '../../src/page/index.js';
import { InstanceReports } from '../../src/nestjs/instance-reports.js';
import { eventually } from '../../../../test/support/eventually.js';
import { ADAPTERS } from '../routes/adopter.js';
import { parts } from '../start/started-application.js';
import { PageApplication } from './page-application.js';

let page: PageApplication;
let streams: EventReader[] = [];

afterEach(async () => {
  for (const stream of streams) stream.close();
  streams = [];
  await page.stop();
});

/** Reads a stream of events as a browser does. */
class EventReader {
  readonly events: { readonly name: string; readonly data: unknown }[] = [];
  hasEnded = false;
  response: Response;
  readonly #abort = new AbortController();

  static async open(path = 'live'): Promise<EventReader> {
    const reader = new EventReader();
    streams.push(reader);
    reader.response = await page.ask(path, { signal: reader.#abort.signal });
    void reader.#read();
    return reader;
  }

  of<T>(name: string): T[] {
    return this.events.filter((event) => event.name === name).map(({ data }) => data as T);
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of this.response.body as unknown as AsyncIterable<Uint8Array>) {
        rest += decoder.decode(chunk, { stream: true });
        const blocks = rest.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) {
          const [, name, data] = /^event: (.+)\ndata: (.+)$/.exec(block) ?? [];
          if (name) this.events.push({ name, data: JSON.parse(data ?? '') as unknown });
        }
      }
      this.hasEnded = true;
    } catch {
      // Aborted.
    }
  }
}

describe.each(ADAPTERS)('on %s, a stream', (adapter) => {
  it('has an overview at once, requests as they come, and ends with the application', async () => {
    page = await PageApplication.start({ adapter, hasSurroundings: true });
    const stream = await EventReader.open();
    expect(Object.fromEntries(stream.response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
    });
    await eventually(() => {
      expect(stream.of<Overview>('overview')).toMatchObject([{ instances: [{ isThis: true }] }]);
    });
    for (let at = 0; at < 120; at += 1) await page.cacheOf().run(parts);
    const count = (): number =>
      stream
        .of<LiveRequests>('requests')
        .reduce((sum, { requests, leftOut }) => sum + requests.length + leftOut, 0);
    await eventually(() => {
      expect(count()).toBe(120);
    });
    const batches = stream.of<LiveRequests>('requests');
    expect(Math.max(...batches.map(({ requests }) => requests.length))).toBeLessThanOrEqual(50);
    expect(batches.at(-1)?.requests.at(-1)).toMatchObject({
      query: 'parts',
      outcome: expect.stringMatching(/hit|miss|bypass/),
    });
    await page.stop();
    await eventually(() => {
      expect(stream.hasEnded).toBe(true);
    });
  });
});

it('listens to requests only while a stream is open, and to the data source of the stream', async () => {
  page = await PageApplication.start({ others: ['reporting'] });
  let open = 0;
  const reports = page.app.get(InstanceReports);
  const onRequest = reports.onRequest.bind(reports);
  reports.onRequest = (listener) => {
    open += 1;
    const end = onRequest(listener);
    return () => {
      open -= 1;
      end();
    };
  };
  const other = await EventReader.open('live?source=reporting');
  await eventually(() => {
    expect(other.of('overview')).not.toEqual([]);
  });
  expect(open).toBe(0);
  const [one, two] = [await EventReader.open(), await EventReader.open()];
  expect(open).toBe(1);
  one.close();
  await page.cacheOf().run(parts);
  await eventually(() => {
    expect(two.of('requests')).not.toEqual([]);
  });
  expect(open).toBe(1);
  expect(other.of('requests')).toEqual([]);
  two.close();
  await eventually(() => {
    expect(open).toBe(0);
  });
});

it('refuses more than 20 streams, and all after their end', async () => {
  page = await PageApplication.start();
  for (let at = 0; at < 20; at += 1) await EventReader.open();
  const { status } = await page.ask('live');
  expect(status).toBe(503);
  streams[0]?.close();
  await eventually(async () => {
    const { response } = await EventReader.open();
    expect(response.status).toBe(200);
  });
  expect((await page.ask('live', { method: 'HEAD' })).status).toBe(200);
  page.app.get(CachePage).endStreams();
  await eventually(() => {
    expect(streams.filter(({ hasEnded }) => hasEnded).length).toBeGreaterThanOrEqual(20);
  });
  expect(await (await page.ask('live')).json()).toMatchObject({ status: 503 });
});
