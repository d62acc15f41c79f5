import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Marks the versions of a write, and `d?` of every registered dimension that the names omit, and replaces the existing
 * ones. A missing version is not created: create-versions marks it. If it is sent again for the same write, the mark
 * covers the names of both. Without an epoch nothing depends on the table.
 *
 * KEYS: epoch, marks. ARGV: write id, backend pid, token, lease in ms, version names...
 */
export const beginWrite = defineScript(
  'begin-write',
  `${TABLE_FUNCTIONS}
if not open_table() then return 0 end
local write_id, backend_pid, token, lease_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local names, is_named, is_covered = {}, {}, {}

local function include(name)
  if not is_named[name] then
    is_named[name] = true
    names[#names + 1] = name
    local dimension = dimension_of(name)
    if dimension then is_covered[dimension] = true end
  end
end

local earlier = read_mark(write_id)
if earlier then
  for _, name in ipairs(earlier.names) do include(name) end
end
for i = 5, #ARGV do include(ARGV[i]) end
for _, dimension in ipairs(dimensions) do
  if not is_covered[dimension] then include(dimension .. '?') end
end
for dimension in pairs(is_covered) do register_dimension(dimension) end
if not earlier then
  mark_count = mark_count + 1
  write_register()
end

write_mark(write_id, {
  backendPid = backend_pid,
  deadlineMs = as_text(now_ms() + tonumber(lease_ms)),
  transactionId = '',
  names = names,
})
for _, name in ipairs(names) do
  local version = version_at(name)
  if version then put_version(name, token .. marks_without(version, write_id) .. '!' .. write_id) end
end
return #names
`,
);
