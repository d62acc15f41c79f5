/**
 * The API behind the page and the commands, as JSON below `<path>/api`. All routes but the session and the description
 * need the token (`Authorization: Bearer <token>`, or the session cookie of the page) and take `?source=<name>` for a
 * data source that is not the default one.
 *
 * | route                   | answer                                                               |
 * |-------------------------|----------------------------------------------------------------------|
 * | `POST session` {token}  | 204 and a cookie                                                     |
 * | `DELETE session`        | 204                                                                  |
 * | `GET overview`          | {@link Overview}                                                     |
 * | `GET queries`           | {@link QueryReport}[], summed over the instances                     |
 * | `GET queries/:name`     | {@link QueryPage}                                                    |
 * | `GET writes`            | {@link WriteReport}[]                                                |
 * | `GET regions`           | {@link RegionReport}[]                                               |
 * | `GET doubt`             | {@link Doubt}                                                        |
 * | `GET options`           | {@link OptionsInForce}                                               |
 * | `GET live`              | server-sent events, below                                            |
 * | `POST invalidate`       | {@link InvalidateRequest}; 204                                       |
 * | `PUT mode` {mode}       | 204: `serve` or `shadow` on every instance                           |
 * | `GET openapi.json`      | this table as OpenAPI                                                |
 *
 * Errors are problem documents (RFC 9457): `detail` says what to do, and `type` is `urn:tidemark:problem:` and one of
 * `page-closed` (404), `token-required` and `wrong-token` (401), `too-many-wrong-tokens` (429 after five within a
 * minute), `cross-site` and `actions-off` (403), `not-json` (415), `invalid-request` (400), `no-such-source`,
 * `no-such-query`, `no-token` and `not-found` (404), `cache-off` and
 * `mode-kept` (409), `unavailable`, `too-many-streams` and `stopping`
 * (503), `internal` (500).
 *
 * Server-sent events: `requests` ({@link LiveRequests}) of the instance that answers, at most four in a second, and
 * `overview` (the whole {@link Overview}) at once and every 2 seconds, with a comment before it in case it takes long.
 */
import type {
  DoubtReport,
  InstanceReport,
  LiveRequest,
  MinuteCounts,
  MissReport,
  Outcomes,
  QueryReport,
} from '../observe/report.js';
import type { QueryTreatment } from '../nestjs/query-treatment.js';

export type { QueryTreatment };

export interface InstanceSummary extends Pick<
  InstanceReport,
  | 'id'
  | 'host'
  | 'pid'
  | 'release'
  | 'startedAtMs'
  | 'atMs'
  | 'mode'
  | 'health'
  | 'memory'
  | 'outcomes'
> {
  /** The instance that answers. */
  readonly isThis: boolean;
}

export interface Overview {
  readonly atMs: number;
  /** The data sources that have a cache; the default one is `default`. */
  readonly dataSources: readonly string[];
  readonly instances: readonly InstanceSummary[];
  readonly outcomes: Outcomes;
  readonly savedMs: number;
  /** The last 60 minutes, the current one last. */
  readonly minutes: readonly MinuteCounts[];
  readonly audit: {
    readonly share: number;
    readonly compared: number;
    readonly different: number;
    /** With 95 % confidence, at most this share of hits differs from the database; `undefined`: nothing compared yet. */
    readonly maxDifferentShare: number | undefined;
  };
  readonly allowActions: boolean;
}

export interface QueryPage {
  readonly query: QueryReport;
  /** `undefined`: the instance that answers has not run it yet, or long ago. */
  readonly treatment: QueryTreatment | undefined;
  readonly misses: readonly MissReport[];
}

export interface Doubt {
  readonly instances: readonly (Pick<InstanceReport, 'id' | 'host' | 'pid'> & DoubtReport)[];
}

export interface OptionsInForce {
  readonly mode: 'serve' | 'shadow' | 'off';
  /** Names and values; secrets and addresses are left out. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

export interface InvalidateRequest {
  readonly regions: readonly {
    /** `schema.name`. */
    readonly table: string;
    readonly dimension?: string;
    readonly value?: string | number;
  }[];
}

/** Data of the event `requests`. */
export interface LiveRequests {
  readonly requests: readonly LiveRequest[];
  /** Requests since the last event that were left out. */
  readonly leftOut: number;
}
