import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Takes a write's mark off and replaces those of its versions that are there.
 *
 * KEYS: epoch, marks. ARGV: write id, token. Answers 1, or 0 without the mark.
 */
export const endWrite = defineScript(
  'end-write',
  `${TABLE_FUNCTIONS}
local mark = open_table() and read_mark(ARGV[1])
if not mark then return 0 end
take_off(ARGV[1], mark, ARGV[2])
return 1
`,
);
