import type pg from 'pg';
import type { DataSource } from 'typeorm';

/** How the data source connects, for a connection beside its pool. */
export function connectionOptionsOf(source: DataSource): pg.ClientConfig {
  const { master } = source.driver as unknown as { master: { options: pg.ClientConfig } };
  return master.options;
}
