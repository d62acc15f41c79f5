import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Gives a mark with an expired lease another lease.
 *
 * KEYS: epoch, marks. ARGV: write id, transaction id, lease in ms. Returns 1 if it did.
 */
export const renewMark = defineScript(
  'renew-mark',
  `${TABLE_FUNCTIONS}
local mark = open_table() and read_mark(ARGV[1])
if not mark or not has_expired(mark) then return 0 end
mark.transactionId = ARGV[2]
mark.deadlineMs = as_text(now_ms() + tonumber(ARGV[3]))
write_mark(ARGV[1], mark)
return 1
`,
);
