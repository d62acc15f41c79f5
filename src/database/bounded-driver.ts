/**
 * node-postgres with two bounds that TypeORM's options lack: how long a connection may be busy, and how many callers
 * may wait for one. A connection that is busy for too long is closed. That ends the wait even if the server does not
 * answer, and leaves no connection in an unknown state in the pool.
 */
import pg from 'pg';

/** Too many callers already wait for a connection. */
export class DatabaseBusyError extends Error {
  constructor(maxWaiting: number) {
    super(`All connections to the database are in use, and ${maxWaiting} callers wait for one.`);
    this.name = 'DatabaseBusyError';
  }
}

export class DriverBounds {
  /** Limit of a statement in milliseconds; 0: no limit, as before the service listens. */
  statementTimeoutMs = 0;

  /** The pool to which the bounds apply. */
  pool: Pick<pg.Pool, 'waitingCount'> | undefined;

  /** @param maxWaiting most callers that may wait for a free connection at the same time. */
  constructor(readonly maxWaiting = Infinity) {}

  /** Whether at least half of the allowed number of callers wait for a connection. */
  get isCrowded(): boolean {
    return this.pool !== undefined && this.pool.waitingCount * 2 >= this.maxWaiting;
  }
}

type Query = (...sent: unknown[]) => unknown;
type Connected = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: (error?: unknown) => void,
) => void;

/** A replacement for the module `pg`, for the option `driver` of TypeORM. */
export function boundedDriver(bounds: DriverBounds): typeof pg {
  class BoundedClient extends pg.Client {
    #timer: NodeJS.Timeout | undefined;

    constructor(config?: pg.ClientConfig) {
      super(config);
      const stopTimer = (): void => {
        clearTimeout(this.#timer);
        this.#timer = undefined;
      };
      this.on('drain', stopTimer).on('end', stopTimer);
      // Also handles a connection that ends before the pool has handed it over: an error without a listener throws.
      this.on('error', stopTimer);
      // Looked up at each call: a tool that instruments the driver may have replaced the method.
      const query: Query = (...sent) => (super.query as Query).apply(this, sent);
      this.query = ((...sent: unknown[]) => {
        this.#startTimer();
        return query(...sent);
      }) as typeof this.query;
    }

    #startTimer(): void {
      const { statementTimeoutMs } = bounds;
      if (statementTimeoutMs === 0 || this.#timer) return;
      this.#timer = setTimeout(() => {
        const reason = `Connection terminated: busy for ${statementTimeoutMs} ms`;
        this.connection.stream.destroy(new Error(reason));
      }, statementTimeoutMs);
    }
  }

  class BoundedPool extends pg.Pool {
    constructor(config?: pg.PoolConfig) {
      super({ ...config, Client: BoundedClient });
      bounds.pool = this;
      const connect = this.connect.bind(this) as (connected?: Connected) => unknown;
      this.connect = ((connected?: Connected): unknown => {
        if (this.waitingCount < bounds.maxWaiting) return connect(connected);
        const error = new DatabaseBusyError(bounds.maxWaiting);
        return connected ? connected(error, undefined, () => undefined) : Promise.reject(error);
      }) as typeof this.connect;
    }
  }

  return Object.create(pg, { Pool: { value: BoundedPool } }) as typeof pg;
}
