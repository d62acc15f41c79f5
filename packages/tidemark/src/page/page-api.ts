/**
 * The API behind the page and the commands, as JSON below `<path>/api`. All routes need the token
 * (`Authorization: Bearer <token>`, or the session cookie of the page) and take `?source=<name>` for a data source that
 * is not the default one.
 *
 * | route                   | answer                                                               |
 * |-------------------------|----------------------------------------------------------------------|
 * | `POST session` {token}  | 204 and a cookie; 401 for a wrong token, 429 after five wrong ones   |
 * | `DELETE session`        | 204                                                                  |
 * | `GET overview`          | {@link Overview}                                                     |
 * | `GET queries`           | {@link QueryReport}[], summed over the instances                     |
 * | `GET queries/:name`     | {@link QueryPage}; 404                                               |
 * | `GET writes`            | {@link WriteReport}[]                                                |
 * | `GET regions`           | {@link RegionReport}[]                                               |
 * | `GET doubt`             | {@link Doubt}                                                        |
 * | `GET options`           | {@link OptionsInForce}                                               |
 * | `GET live`              | server-sent events, below                                            |
 * | `POST invalidate`       | {@link InvalidateRequest}; 204; 403 without `allowActions`           |
 * | `PUT mode` {mode}       | 204: `serve` or `shadow` on every instance; 403 without it           |
 *
 * Server-sent events: `requests` (LiveRequest[] and how many were left out by sampling) of the instance that answers,
 * and `overview` (the whole {@link Overview}) every 2 seconds.
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
