/** Input and result of a load generator. */
export interface Load {
  /** Origin of the application. */
  readonly url: string;
  /** Asked for in this order by all connections together, from the beginning again when all are through. */
  readonly paths: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** Each connection waits between two requests, so that there are about as many a second; absent: no wait. */
  readonly perSecond?: number;
  readonly method?: 'GET' | 'PATCH' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface LoadGenerator {
  /** Its name and version. */
  readonly title: string;
  /** Rejects when a request was not answered, or not with 2xx or 304. */
  run(load: Load): Promise<LoadResult>;
}
