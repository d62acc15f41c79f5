import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Removes the versions that are still the token: not replaced, and not marked.
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
