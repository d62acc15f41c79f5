import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Creates the missing versions, with the marks that name them, and registers their dimensions. While there are marks,
 * versions of unregistered dimensions stay missing. Without an epoch, or with a damaged mark, nothing is created.
 *
 * KEYS: epoch, marks. ARGV: token, version names...
 * Returns the epoch, then the text of each version; false for a missing one.
 */
export const createVersions = defineScript(
  'create-versions',
  `${TABLE_FUNCTIONS}
local answer = {}
for i = 1, #ARGV do answer[i] = false end
if not open_table() then return answer end
answer[1] = epoch_text()

local marks_on = {}
for id, mark in pairs(all_marks()) do
  if not mark then
    redis.call('DEL', epoch_key)
    answer[1] = false
    return answer
  end
  for _, name in ipairs(mark.names) do marks_on[name] = (marks_on[name] or '') .. '!' .. id end
end

for i = 2, #ARGV do
  local name = ARGV[i]
  local dimension, version = dimension_of(name), version_at(name)
  if not dimension or mark_count == 0 or is_registered[dimension] then
    if dimension then register_dimension(dimension) end
    if not version then
      version = ARGV[1] .. (marks_on[name] or '')
      put_version(name, version)
    end
  end
  answer[i] = version and epoch .. '.' .. version or false
end
return answer
`,
  false,
);
