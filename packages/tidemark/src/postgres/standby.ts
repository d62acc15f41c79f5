/** As SQL: whether the server that is asked is a standby. */
export const IS_STANDBY = 'pg_catalog.pg_is_in_recovery()';

/** The server is a standby, from which nothing can be concluded. */
export class StandbyError extends Error {
  constructor() {
    super('the database is a standby, which may lack writes');
    this.name = 'StandbyError';
  }
}
