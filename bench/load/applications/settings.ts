/** Settings of a contender's process, from its environment. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  /** Rows of the answer that a constant gives. */
  readonly rows: number;
}

/** How long every contender may keep an answer, in milliseconds: longer than a session. */
export const TTL_MS = 6 * 60 * 60_000;

/** Most connections to the database: as many as the service opens by default. */
export const POOL_SIZE = 10;

export function settings(): Settings {
  return {
    host: setting('HOST'),
    port: Number(setting('PORT')),
    rows: Number(process.env['BENCH_ROWS'] ?? 10),
  };
}

/** @throws Error naming a variable that is missing. */
export function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}

/** The parts of REDIS_URL, for clients that take no URL. */
export function redisAddress(): { host: string; port: number; db: number } {
  const { hostname, port, pathname } = new URL(setting('REDIS_URL'));
  return { host: hostname, port: Number(port), db: Number(pathname.slice(1)) };
}

/** Opens the page of the service. */
export const PAGE_TOKEN = 'a-token-of-the-bench';
