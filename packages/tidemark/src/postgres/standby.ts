/** SQL expression: whether the queried server is a standby. */
export const IS_STANDBY = 'pg_catalog.pg_is_in_recovery()';

/** The server is a standby, whose answers prove nothing. */
export class StandbyError extends Error {
  constructor() {
    super('the database is a standby, which may lack writes');
    this.name = 'StandbyError';
  }
}
