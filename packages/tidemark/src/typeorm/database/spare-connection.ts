import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';

/** Whether less than half of the pool's connections are in use, and nobody waits for one. */
export function hasSpareConnection({ driver }: DataSource): boolean {
  // The types of the driver lack its pool.
  const { master } = driver as unknown as { readonly master: Pool };
  const { totalCount, idleCount, waitingCount, options } = master;
  return waitingCount === 0 && totalCount - idleCount < options.max / 2;
}
