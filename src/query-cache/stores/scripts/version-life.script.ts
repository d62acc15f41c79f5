import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Lets versions live at least so long from now. One that a write is marked on has no time to live, which
 * is longer.
 *
 * KEYS: epoch, marks. ARGV: life in ms, version names...
 */
export const prolongVersions = defineScript(
  'prolong-versions',
  `${TABLE_FUNCTIONS}
for i = 2, #ARGV do redis.call('PEXPIRE', version_prefix .. ARGV[i], ARGV[1], 'GT') end
return 1
`,
);

/**
 * Removes versions that still are the token: not replaced, and no write is marked on them.
 *
 * KEYS: epoch, marks. ARGV: token, version names...
 */
export const dropVersions = defineScript(
  'drop-versions',
  `${TABLE_FUNCTIONS}
if not open_table() then return 0 end
for i = 2, #ARGV do
  if version_at(ARGV[i]) == ARGV[1] then redis.call('DEL', version_prefix .. ARGV[i]) end
end
return 1
`,
);
