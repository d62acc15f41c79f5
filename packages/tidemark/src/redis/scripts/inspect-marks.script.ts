import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Reports the table's marks with an expired lease. A damaged mark, or a version that names a missing mark, proves lost
 * data, and the epoch is dropped: other marks may be lost too.
 *
 * KEYS: epoch, marks. ARGV: version names...
 * Returns the milliseconds until the next lease expires (-1: none is running), then write id, backend pid and
 * transaction id of each expired mark.
 */
export const inspectMarks = defineScript(
  'inspect-marks',
  `${TABLE_FUNCTIONS}
if not open_table() then return { -1 } end
local marks, is_whole = all_marks(), true
for _, mark in pairs(marks) do is_whole = is_whole and mark end
for _, name in ipairs(ARGV) do
  for id in string.gmatch(version_at(name) or '', '!([^!]*)') do
    is_whole = is_whole and marks[id]
  end
end
if not is_whole then
  redis.call('DEL', epoch_key)
  return { -1 }
end

local answer, next_ms, now = { -1 }, nil, now_ms()
for id, mark in pairs(marks) do
  local left_ms = tonumber(mark.deadlineMs) - now
  if left_ms <= 0 then
    answer[#answer + 1] = id
    answer[#answer + 1] = mark.backendPid
    answer[#answer + 1] = mark.transactionId
  elseif not next_ms or left_ms < next_ms then
    next_ms = left_ms
  end
end
if next_ms then answer[1] = next_ms end
return answer
`,
);
