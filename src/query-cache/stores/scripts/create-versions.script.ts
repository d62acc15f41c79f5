import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Creates the versions that are missing, with the marks that lie on them, and registers their dimensions.
 * While there are marks, versions of dimensions not registered yet stay missing. Without an epoch nothing is
 * created.
 *
 * KEYS: epoch, marks. ARGV: token, version names...
 * Answers the epoch, then the text of each version; false where there is none.
 */
export const createVersions = defineScript(
  'create-versions',
  `${TABLE_FUNCTIONS}
local answer = {}
for i = 1, #ARGV do answer[i] = false end
if not open_table() then return answer end
answer[1] = epoch_text()

local marked = mark_count > 0 and redis.call('HGETALL', marks_key) or {}

local function marks_on(name)
  local marks, in_json = '', cjson.encode(name)
  for i = 1, #marked, 2 do
    local is_mark = string.find(marked[i], '^[%w_-]+$')
    if is_mark and string.find(marked[i + 1], in_json, 1, true) then marks = marks .. '!' .. marked[i] end
  end
  return marks
end

for i = 2, #ARGV do
  local name = ARGV[i]
  local dimension = dimension_of(name)
  if not dimension or mark_count == 0 or is_registered[dimension] then
    if dimension then register_dimension(dimension) end
    local version = version_at(name)
    if not version then
      version = ARGV[1] .. marks_on(name)
      put_version(name, version)
    end
    answer[i] = epoch .. '.' .. version
  else
    local version = version_at(name)
    answer[i] = version and epoch .. '.' .. version or false
  end
end
return answer
`,
  false,
);
