/**
 * All migrations, oldest first. They are listed by name, so that they are found wherever the code runs. A migration
 * that may take minutes begins with `SET LOCAL transaction_timeout = 0` (PostgreSQL 17).
 */
import { CreateUsers1700000000000 } from './1700000000000-create-users.js';
import { IndexUsersByRegion1700000001000 } from './1700000001000-index-users-by-region.js';

export const migrations = [CreateUsers1700000000000, IndexUsersByRegion1700000001000] as const;
