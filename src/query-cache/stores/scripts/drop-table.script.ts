import { defineScript } from './script.js';

/**
 * Drops what the table has beside its versions, which count for nothing without an epoch. For keys that hold
 * another type than a script expects: another client has written there, and what they held is lost.
 *
 * KEYS: epoch, marks. Answers the number of keys dropped.
 */
export const dropTable = defineScript('drop-table', `return redis.call('DEL', unpack(KEYS))`);
