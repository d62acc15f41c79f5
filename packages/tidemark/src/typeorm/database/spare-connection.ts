import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';

/** Whether less than half of the pool's connections are in use, and one more would leave another one free. */
export function hasSpareConnection({ driver }: DataSource): boolean {
  // The types of the driver lack its pool.
  const { master } = driver as unknown as { readonly master: Pool };
  const { totalCount, idleCount, waitingCount, options } = master;
  const inUse = totalCount - idleCount;
  return waitingCount === 0 && inUse < options.max / 2 && inUse + 1 < options.max;
}
