import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Reports the table's marks whose lease has run out, drops those that are no marks, and repairs versions whose
 * marks are lost: a version loses what has no mark any more and gets the token. A lost mark of the present epoch
 * proves lost data and replaces the epoch; the version could be repaired alone, but others that
 * were lost with it would not be known.
 *
 * KEYS: epoch, marks, dimensions. ARGV: token, node, version names...
 * Answers the milliseconds until the next lease runs out (-1: none runs), then write id, backend
 * pid and transaction id of each expired mark.
 */
export const inspectMarks = defineScript(
  'inspect-marks',
  `${TABLE_FUNCTIONS}
local token, node = ARGV[1], ARGV[2]
local all, marks = redis.call('HGETALL', marks_key), {}
for i = 1, #all, 2 do
  local id = all[i]
  marks[id] = string.find(id, '^[%w_-]+$') and mark_of(all[i + 1]) or nil
  if not marks[id] then redis.call('HDEL', marks_key, id) end
end

local present_epoch, has_lost_data = epoch_token(), false
for i = 3, #ARGV do
  local key = version_prefix .. ARGV[i]
  local version = version_at(key)
  local kept = ''
  for id, epoch in string.gmatch(version or '', '!([^! ]*) ([^!]*)') do
    if marks[id] then
      kept = kept .. '!' .. id .. ' ' .. epoch
    elseif epoch == present_epoch then
      has_lost_data = true
    end
  end
  if version and token_of(version) .. kept ~= version then put_version(key, token .. kept) end
end
if has_lost_data then redis.call('SET', epoch_key, token .. ' ' .. node .. ' settling') end

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
