import { describe, expect, it } from 'vitest';
import { CacheEvents } from '../core/ports/cache-events.js';
import { CacheObserver } from './cache-observer.js';
import { parseReport, textOf } from './report-text.js';
import type { InstanceReport } from './report.js';

/** A report with an element in each list. */
function whole(): InstanceReport {
  const events = new CacheEvents();
  const observer = new CacheObserver(events, { nowMs: () => 1_000_000_000 });
  observer.start();
  const regions = [{ table: 'public.users', names: ['*'] }];
  const of = { query: 'users', key: 'k', durationMs: 1, bytes: 1, regions };
  events.emit('invalidated', {
    ...{ writeId: 'w1', source: 'service', origin: undefined, regions, localEntries: 0 },
    statements: [{ title: 'UPDATE public.users', fingerprint: '0' }],
  });
  events.emit('hit', { ...of, level: 'L1' });
  events.emit('miss', {
    ...of,
    ...{ stored: false, refusal: 'too-large', cause: 'outdated', outdated: regions },
  });
  events.emit('epochReplaced', { table: 'public.users', cause: 'missing' });
  const { counts, audit, epochs } = observer.report();
  return {
    ...{ id: 'a', host: 'h', pid: 1, release: 'r', dataSource: 'default', startedAtMs: 1 },
    ...{ mode: 'serve', health: { status: 'up', detail: undefined } },
    memory: { l1Bytes: 1, l1MaxBytes: 1, l1Entries: 1, rssBytes: 1 },
    ...counts,
    audit: { share: 0, ...audit },
    doubt: {
      marks: [{ table: 'public.users', writeId: 'w1', backendPid: 1, leaseLeftMs: -1 }],
      awaited: [{ backendPid: 1, application: 'psql', since: undefined }],
      epochs,
      relay: {
        ...{ state: 'relaying', backlogRows: 0, backlogAgeMs: 0 },
        ...{ lastLagMs: undefined, relayedRows: 0 },
      },
      triggers: [{ table: 'public.users', state: 'installed' }],
      problems: ['none'],
    },
  };
}

const published = (): unknown => JSON.parse(textOf(whole()));

/** Each place of a value, and what is there. */
function* placesOf(value: unknown, path: readonly string[] = []): Iterable<readonly string[]> {
  yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    if (part !== undefined) yield* placesOf(part, [...path, name]);
  }
}

function replaced(value: unknown, [name, ...rest]: readonly string[], by: unknown): unknown {
  if (name === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string,
    unknown
  >;
  copy[name] = replaced(copy[name], rest, by);
  return copy;
}

describe('parseReport', () => {
  it('reads a report as it was written', () => {
    const report = whole();
    expect(report.queries[0]?.minutes).toEqual([{ requests: 2, hits: 1, savedMs: 1 }]);
    expect(parseReport(textOf(report))).toEqual(report);
  });

  it('reads the minutes of 200 busy queries from a text of less than 200 KB', () => {
    const [query] = whole().queries;
    const minutes = Array.from({ length: 60 }, () => ({ requests: 121, hits: 120, savedMs: 120 }));
    const busy = {
      ...query!,
      outcomes: { ...query!.outcomes, l1: 7_200 },
      savedMs: 7_200,
      minutes,
    };
    const queries = Array.from({ length: 201 }, () => busy);
    const text = textOf({ ...whole(), queries });
    expect(text.length).toBeLessThan(200_000);
    expect(parseReport(text)?.queries).toEqual(queries);
  });

  it.each([{ by: null }, { by: { x: { y: [] } } }, { by: [[[0]]] }, { by: false }])(
    'leaves out a report with $by in any place',
    ({ by }) => {
      for (const path of placesOf(published())) {
        if (typeof by === 'boolean' && path.at(-1) === 'isSettled') continue;
        const json = JSON.stringify(replaced(published(), path, by));
        expect([path, parseReport(json)]).toEqual([path, undefined]);
      }
    },
  );

  it.each(['', '{', 'null', '[]', '"text"', '{"id":"a"}', `[${'['.repeat(100_000)}`])(
    'leaves out %.20s',
    (json) => {
      expect(parseReport(json)).toBeUndefined();
    },
  );

  it('leaves out a report with lists or texts that are too long', () => {
    const long = whole().misses.flatMap((miss) => Array<typeof miss>(1_001).fill(miss));
    expect(parseReport(textOf({ ...whole(), misses: long }))).toBeUndefined();
    expect(parseReport(textOf({ ...whole(), host: 'h'.repeat(20_000) }))).toBeUndefined();
  });
});
