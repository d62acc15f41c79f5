/** JSON Schemas of what the API answers: page-api.ts and observe/report.ts describe the same. */

type Schema = Readonly<Record<string, unknown>>;

const number: Schema = { type: 'number' };
const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const numbers: Schema = listOf(number);
const texts: Schema = listOf(text);

const ms = (description: string): Schema => ({
  type: 'number',
  description: `${description}, in milliseconds`,
});
const since = ms('Time since the Unix epoch');
const oneOf = (...values: readonly string[]): Schema => ({ type: 'string', enum: values });

function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** Names that end with `?` may be absent. */
function object(properties: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(properties);
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name.replace('?', ''), schema]),
    ),
    required: names.filter((name) => !name.endsWith('?')),
  };
}

const instance = { id: text, host: text, pid: number };
const health = object({ status: oneOf('up', 'degraded'), 'detail?': text });
const memory = object({ l1Bytes: number, l1MaxBytes: number, l1Entries: number, rssBytes: number });
const mode = oneOf('serve', 'shadow', 'off');
const minutes: Schema = {
  ...listOf(object({ requests: number, hits: number, savedMs: number })),
  description: 'The last 60 minutes, the current one last',
};
const regions = listOf(object({ table: text, names: texts }));
const statement = object({ title: text, fingerprint: text });
const source = oneOf('service', 'outside', 'invalidate');

export const schemas: Readonly<Record<string, Schema>> = {
  Problem: object({ type: text, title: text, status: number, detail: text, instance: text }),
  Outcomes: {
    ...object({
      l1: number,
      l2: number,
      stored: number,
      notStored: number,
      joined: number,
      bypassed: number,
      failed: number,
    }),
    description: 'How requests were answered: from memory, from Redis, or by the database',
  },
  Overview: object({
    atMs: since,
    dataSources: texts,
    instances: listOf(ref('Instance')),
    outcomes: ref('Outcomes'),
    savedMs: ms('Database time that hits have saved'),
    minutes,
    audit: object({
      share: number,
      compared: number,
      different: number,
      'maxDifferentShare?': number,
    }),
    allowActions: flag,
  }),
  Instance: object({
    ...instance,
    release: text,
    startedAtMs: since,
    atMs: since,
    mode,
    health,
    memory,
    outcomes: ref('Outcomes'),
    isThis: flag,
  }),
  Query: object({
    query: text,
    outcomes: ref('Outcomes'),
    reasons: { type: 'object', additionalProperties: number },
    hitMs: numbers,
    fillMs: numbers,
    savedMs: ms('Database time that hits have saved'),
    lastBytes: number,
    servedBytes: number,
    minutes,
  }),
  QueryPage: object({
    query: ref('Query'),
    'treatment?': ref('Treatment'),
    misses: listOf(ref('Miss')),
  }),
  Treatment: object({
    sql: text,
    cacheable: flag,
    'key?': text,
    'dependencies?': listOf(object({ table: text, names: texts, isWhole: flag, reason: text })),
    'entry?': object({
      level: oneOf('L1', 'L2'),
      bytes: number,
      ageMs: ms('Age'),
      leftMs: ms('Time to live that is left'),
    }),
    'reason?': text,
    'detail?': text,
    'remedy?': text,
  }),
  Miss: object({
    atMs: since,
    query: text,
    key: text,
    cause: oneOf('new', 'expired', 'outdated', 'fresh'),
    outdated: regions,
    durationMs: ms('Time of the query'),
    'endedBy?': object({
      atMs: since,
      writeId: text,
      source,
      'origin?': text,
      statements: listOf(statement),
      regions,
    }),
  }),
  Write: object({
    source,
    'origin?': text,
    'statement?': statement,
    writes: number,
    regions: number,
    localEntries: number,
    publishedMs: numbers,
    lastAtMs: since,
    lastRegions: regions,
  }),
  Region: object({ table: text, region: text, hits: number, misses: number, writes: number }),
  Doubt: object({
    instances: listOf(
      object({
        ...instance,
        marks: listOf(
          object({ table: text, writeId: text, backendPid: number, leaseLeftMs: ms('Lease') }),
        ),
        awaited: listOf(object({ backendPid: number, application: text, 'since?': text })),
        epochs: listOf(object({ table: text, cause: text, atMs: since, isSettled: flag })),
        'relay?': object({
          state: oneOf('absent', 'standby', 'relaying', 'away'),
          'backlogRows?': number,
          'backlogAgeMs?': ms('Age of the oldest row'),
          'lastLagMs?': ms('Lag of the last rows'),
          relayedRows: number,
        }),
        triggers: listOf(object({ table: text, state: text })),
        problems: texts,
      }),
    ),
  }),
  Options: object({
    mode,
    options: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  }),
  Session: object({ token: text }),
  Invalidation: object({
    regions: listOf(
      object({ table: text, 'dimension?': text, 'value?': { type: ['string', 'number'] } }),
    ),
  }),
  Mode: object({ mode: oneOf('serve', 'shadow') }),
};

export { listOf, ref, type Schema };
