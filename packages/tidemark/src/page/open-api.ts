/** Describes the API by OpenAPI, without a package for that. */
import { listOf, ref, schemas, type Schema } from './open-api-schemas.js';

interface Route {
  readonly summary: string;
  /** Of the answer; absent: 204. */
  readonly answer?: Schema;
  readonly type?: string;
  readonly body?: string;
  readonly parameters?: readonly object[];
  readonly security?: readonly object[];
}

const SOURCE = {
  name: 'source',
  in: 'query',
  required: false,
  schema: { type: 'string' },
  description: 'The data source; by default the default one',
};

const QUERY = { name: 'name', in: 'path', required: true, schema: { type: 'string' } };

const ROUTES: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  '/session': {
    post: { summary: 'Begins a session: sets a cookie', body: 'Session', security: [] },
    delete: { summary: 'Ends the session', security: [] },
  },
  '/overview': {
    get: { summary: 'All instances and what they did', answer: ref('Overview') },
  },
  '/queries': {
    get: { summary: 'The busiest queries', answer: listOf(ref('Query')) },
  },
  '/queries/{name}': {
    get: {
      summary: 'How the cache treats a query, and its last misses',
      answer: ref('QueryPage'),
      parameters: [QUERY],
    },
  },
  '/writes': {
    get: { summary: 'Writes by their causes', answer: listOf(ref('Write')) },
  },
  '/regions': {
    get: { summary: 'Reads against writes', answer: listOf(ref('Region')) },
  },
  '/doubt': {
    get: { summary: 'What keeps reads from the cache at present', answer: ref('Doubt') },
  },
  '/options': {
    get: { summary: 'Options in force, without addresses and secrets', answer: ref('Options') },
  },
  '/live': {
    get: {
      summary:
        'Server-sent events: `overview` every 2 s, and `requests` of the instance that answers, as a sample',
      answer: { type: 'string' },
      type: 'text/event-stream',
    },
  },
  '/invalidate': {
    post: { summary: 'Ends the answers of regions, on all instances', body: 'Invalidation' },
  },
  '/mode': {
    put: { summary: 'Sets the mode of all instances', body: 'Mode' },
  },
};

/** @param base the path of the API. */
export function describeApi(base: string): object {
  return {
    openapi: '3.1.0',
    info: { title: 'Tidemark: the cache', version: '1' },
    servers: [{ url: base }],
    security: [{ token: [] }, { session: [] }],
    paths: Object.fromEntries(
      Object.entries(ROUTES).map(([path, methods]) => [
        path,
        Object.fromEntries(
          Object.entries(methods).map(([method, route]) => [method, operationOf(route)]),
        ),
      ]),
    ),
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'tidemark-page' },
      },
    },
  };
}

function operationOf({ summary, answer, body, security, parameters = [], type }: Route): object {
  return {
    summary,
    ...(security && { security }),
    parameters: [...parameters, ...(security ? [] : [SOURCE])],
    ...(body !== undefined && {
      requestBody: { required: true, content: contentOf('application/json', ref(body)) },
    }),
    responses: {
      ...(answer
        ? { 200: { description: 'Done', content: contentOf(type ?? 'application/json', answer) } }
        : { 204: { description: 'Done' } }),
      default: {
        description: 'A problem document, whose `detail` says what to do',
        content: contentOf('application/problem+json', ref('Problem')),
      },
    },
  };
}

function contentOf(type: string, schema: Schema): object {
  return { [type]: { schema } };
}
