import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Takes the mark of a write that was rolled back off; the versions keep their tokens.
 *
 * KEYS: epoch, marks. ARGV: write id. Answers 1, or 0 without the mark.
 */
export const abortWrite = defineScript(
  'abort-write',
  `${TABLE_FUNCTIONS}
local mark = open_table() and read_mark(ARGV[1])
if not mark then return 0 end
take_off(ARGV[1], mark, nil)
return 1
`,
);
