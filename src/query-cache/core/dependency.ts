/** What an answer depends on in one table. */
export interface TableDependency {
  readonly table: string;
  /** The versions that every entry of the answer carries in its stamp. */
  readonly names: readonly string[];
  /**
   * The version replaced by inserts of unknown primary keys, where the table is confined by
   * primary key. An answer that has a row for every key asked for does not depend on it.
   */
  readonly insertName: string | undefined;
}

export interface Dependencies {
  readonly tables: readonly TableDependency[];
  /** With this many rows every key asked for is there; `undefined`: no number of rows proves it. */
  readonly completeRowCount: number | undefined;
}
