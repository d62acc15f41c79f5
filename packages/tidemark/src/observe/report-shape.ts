/** Checks reports of other instances: anybody who can write to Redis can put anything in their place. */
import { BUCKETS_MS, type InstanceReport, type QueryReport } from './report.js';

/** A report as its text has it (report-text.ts). */
export interface PublishedReport extends Omit<InstanceReport, 'queries'> {
  readonly queries: readonly (Omit<QueryReport, 'minutes'> & {
    /** Requests and hits in turn. */
    readonly minutes: readonly number[];
  })[];
}

type Check = (value: unknown) => boolean;

/** Of any list and of the names of any record. */
const MAX_LENGTH = 1_000;
const MAX_TEXT = 10_000;

const number: Check = (value) => Number.isFinite(value);
const text: Check = (value) => typeof value === 'string' && value.length <= MAX_TEXT;
const flag: Check = (value) => typeof value === 'boolean';
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length <= MAX_LENGTH && value.every(check);
const record =
  (check: Check): Check =>
  (value) =>
    isObject(value) && list(check)(Object.values(value));
const object =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && Object.entries(checks).every(([name, check]) => check(value[name]));

/** Checks of all fields of a type. */
const all = <T>(checks: Readonly<Record<keyof T, Check>>): Check => object(checks);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const histogram: Check = (value) =>
  Array.isArray(value) && value.length === BUCKETS_MS.length + 1 && value.every(number);
const regions = list(object({ table: text, names: list(text) }));
const statement = object({ title: text, fingerprint: text });
const source = oneOf('service', 'outside', 'invalidate');
const outcomes = all<InstanceReport['outcomes']>({
  l1: number,
  l2: number,
  stored: number,
  notStored: number,
  joined: number,
  bypassed: number,
  failed: number,
});
const minutes = list(object({ requests: number, hits: number, savedMs: number }));
const write = {
  writeId: text,
  source,
  origin: maybe(text),
};
const recentWrite = all<InstanceReport['recentWrites'][number]>({
  ...write,
  atMs: number,
  statements: list(statement),
  regions,
});

const report = all<PublishedReport>({
  id: text,
  host: text,
  pid: number,
  release: text,
  dataSource: text,
  startedAtMs: number,
  atMs: number,
  mode: oneOf('serve', 'shadow', 'off'),
  health: object({ status: oneOf('up', 'degraded'), detail: maybe(text) }),
  memory: all<InstanceReport['memory']>({
    l1Bytes: number,
    l1MaxBytes: number,
    l1Entries: number,
    rssBytes: number,
  }),
  outcomes,
  savedMs: number,
  minutes,
  audit: all<InstanceReport['audit']>({ share: number, compared: number, different: number }),
  queries: list(
    all<PublishedReport['queries'][number]>({
      query: text,
      outcomes,
      reasons: record(number),
      hitMs: histogram,
      fillMs: histogram,
      savedMs: number,
      lastBytes: number,
      servedBytes: number,
      minutes: list(number),
    }),
  ),
  writes: list(
    all<InstanceReport['writes'][number]>({
      source,
      origin: maybe(text),
      statement: maybe(statement),
      writes: number,
      regions: number,
      localEntries: number,
      publishedMs: histogram,
      lastAtMs: number,
      lastRegions: regions,
    }),
  ),
  regions: list(
    all<InstanceReport['regions'][number]>({
      table: text,
      region: text,
      hits: number,
      misses: number,
      writes: number,
    }),
  ),
  misses: list(
    all<InstanceReport['misses'][number]>({
      atMs: number,
      query: text,
      key: text,
      cause: oneOf('new', 'expired', 'outdated', 'fresh'),
      outdated: regions,
      durationMs: number,
      endedBy: maybe(recentWrite),
    }),
  ),
  recentWrites: list(recentWrite),
  doubt: all<InstanceReport['doubt']>({
    marks: list(
      all<InstanceReport['doubt']['marks'][number]>({
        table: text,
        writeId: text,
        backendPid: number,
        leaseLeftMs: number,
      }),
    ),
    awaited: list(object({ backendPid: number, application: text, since: maybe(text) })),
    epochs: list(object({ table: text, cause: text, atMs: number, isSettled: flag })),
    relay: maybe(
      all<NonNullable<InstanceReport['doubt']['relay']>>({
        state: oneOf('absent', 'standby', 'relaying', 'away'),
        backlogRows: maybe(number),
        backlogAgeMs: maybe(number),
        lastLagMs: maybe(number),
        relayedRows: number,
      }),
    ),
    triggers: list(object({ table: text, state: text })),
    problems: list(text),
  }),
});

export function isPublished(value: unknown): value is PublishedReport {
  return report(value);
}
