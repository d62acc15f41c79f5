import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Ends the settling of an epoch, only while it is the one observed.
 *
 * KEYS: epoch, marks. ARGV: the epoch observed. Answers 1 when it did.
 */
export const settleEpoch = defineScript(
  'settle-epoch',
  `${TABLE_FUNCTIONS}
local settled = string.match(ARGV[1], '^(.*) settling$')
if not settled or epoch_text() ~= ARGV[1] then return 0 end
redis.call('SET', epoch_key, settled)
return 1
`,
);
