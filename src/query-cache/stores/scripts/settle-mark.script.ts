import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Takes a mark off and replaces its versions, only while its lease has run out.
 *
 * KEYS: epoch, marks. ARGV: write id, token. Answers 1 when it did.
 */
export const settleMark = defineScript(
  'settle-mark',
  `${TABLE_FUNCTIONS}
local mark = open_table() and read_mark(ARGV[1])
if not mark or not has_expired(mark) then return 0 end
take_off(ARGV[1], mark, ARGV[2])
return 1
`,
);
