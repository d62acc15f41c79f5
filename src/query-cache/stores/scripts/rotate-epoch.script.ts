import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Replaces the epoch by a settling one and drops all marks, only while it is the one observed.
 * The versions keep the dropped marks in their text until inspect-marks meets them: their epoch
 * says that they are left over.
 *
 * KEYS: epoch, marks, dimensions. ARGV: token, node, then the epoch observed unless it was missing.
 * Answers 1 when it did.
 */
export const rotateEpoch = defineScript(
  'rotate-epoch',
  `${TABLE_FUNCTIONS}
if epoch_text() ~= ARGV[3] then return 0 end
redis.call('SET', epoch_key, ARGV[1] .. ' ' .. ARGV[2] .. ' settling')
redis.call('DEL', marks_key)
return 1
`,
);
