/**
 * What the scripts on a table's data have in common, in Lua.
 *
 * KEYS of each of them: the table's epoch, marks and dimensions. A version's key is made from the
 * first, which ends in `e`, so that it lies in the same hash slot.
 *
 * How the data look:
 * - a version is its token, then `!<write id> <epoch token>` for each write marked on it, the
 *   epoch being the one under which the write began;
 * - a mark is a JSON object of strings, in the hash of marks by write id, and the names it lies on.
 *
 * Another client may put anything under a key. What does not look like that counts as lost, and gives way to
 * what is written next; where the marks or the dimensions are of another type, the script fails (drop-table).
 */
export const TABLE_FUNCTIONS = `
local epoch_key, marks_key, dimensions_key = KEYS[1], KEYS[2], KEYS[3]
local version_prefix = string.sub(epoch_key, 1, -2) .. 'v:'

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function as_text(number)
  return string.format('%.0f', number)
end

local function text_at(key, ...)
  local text = redis.pcall('GET', key)
  if type(text) == 'table' and not string.find(text.err, '^WRONGTYPE') then error(text) end
  if type(text) ~= 'string' then return nil end
  for _, pattern in ipairs({ ... }) do
    if string.find(text, pattern) then return text end
  end
end

local function epoch_text()
  return text_at(epoch_key, '^[%w_-]+ %w+$', '^[%w_-]+ %w+ settling$')
end

local function version_at(key)
  return text_at(key, '^[%w_-]+[!%w_ -]*$')
end

local function epoch_token()
  local epoch = epoch_text()
  return epoch and string.match(epoch, '^[^ ]*') or ''
end

local function dimension_of(name)
  return string.match(name, '^([^=?+]*)[=?+]')
end

local function token_of(version)
  return string.match(version, '^[^!]*')
end

local function is_of_value(name)
  return string.find(name, '^[^=?+]*=')
end

-- A version of a value lives for a day after it was replaced, or for the time given, so that regions nobody asks
-- for any more leave nothing behind. One that a write is marked on has no time to live. Nor have the few of the table
-- and of its dimensions: many answers end with each, and with that of the schema all.
local function put_version(key, version, life_ms)
  local name = string.sub(key, #version_prefix + 1)
  if string.find(version, '!', 1, true) or not is_of_value(name) then
    redis.call('SET', key, version)
  else
    redis.call('SET', key, version, 'PX', life_ms or 86400000)
  end
end

-- The marks on a version without that of one write.
local function marks_without(marks, write_id)
  local others = ''
  for id, epoch in string.gmatch(marks, '!([^! ]*) ([^!]*)') do
    if id ~= write_id then others = others .. '!' .. id .. ' ' .. epoch end
  end
  return others
end

local function mark_of(text)
  local is_json, mark = pcall(cjson.decode, text)
  if not is_json or type(mark) ~= 'table' or type(mark.names) ~= 'table' then return nil end
  for _, field in ipairs({ 'backendPid', 'transactionId', 'deadlineMs' }) do
    if type(mark[field]) ~= 'string' then return nil end
  end
  for _, name in ipairs(mark.names) do
    if type(name) ~= 'string' then return nil end
  end
  return string.find(mark.deadlineMs, '^%d+$') and mark
end

local function read_mark(write_id)
  local text = redis.call('HGET', marks_key, write_id)
  return text and mark_of(text)
end

-- The marks on a version: those in its text, and where the version itself was lost (an allkeys-*
-- policy may drop it) those that the marks say lie on it.
local all_marks
local function marks_on(name, version)
  if version then return string.sub(version, #token_of(version) + 1) end
  all_marks = all_marks or redis.call('HGETALL', marks_key)
  local marks, in_json = '', cjson.encode(name)
  for i = 1, #all_marks, 2 do
    if string.find(all_marks[i + 1], in_json, 1, true) then
      marks = marks .. '!' .. all_marks[i] .. ' ' .. epoch_token()
    end
  end
  return marks
end

local function write_mark(write_id, mark)
  redis.call('HSET', marks_key, write_id, cjson.encode(mark))
end

local function has_expired(mark)
  return tonumber(mark.deadlineMs) <= now_ms()
end

-- Takes a mark off its versions; they get the token, or keep theirs where it is nil.
local function take_off(write_id, mark, token)
  for _, name in ipairs(mark.names) do
    local key = version_prefix .. name
    local version = version_at(key)
    local next_token = token or (version and token_of(version))
    if next_token then
      put_version(key, next_token .. marks_without(marks_on(name, version), write_id))
    end
  end
  redis.call('HDEL', marks_key, write_id)
end
`;
