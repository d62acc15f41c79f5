import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Removes the mark of a write. Its existing versions get the token, or stay unchanged if the token is empty.
 *
 * KEYS: epoch, marks. ARGV: write id, token, then `expired` if the lease must have expired.
 * Returns 1, or 0 without such a mark.
 */
export const takeOffMark = defineScript(
  'take-off-mark',
  `${TABLE_FUNCTIONS}
local write_id, token, is_of_expired = ARGV[1], ARGV[2], ARGV[3]
local mark = open_table() and read_mark(write_id)
if not mark or is_of_expired and not has_expired(mark) then return 0 end
for _, name in ipairs(mark.names) do
  local version = version_at(name)
  if version then
    local kept = token == '' and string.match(version, '^[^!]*') or token
    put_version(name, kept .. marks_without(version, write_id))
  end
end
redis.call('HDEL', marks_key, write_id)
mark_count = mark_count - 1
write_register()
return 1
`,
);
