/**
 * The Lua functions that all scripts on a table's data share.
 *
 * KEYS of each script: the table's epoch and marks. The key of a version is derived from the first, which ends in `e`,
 * so that it lies in the same hash slot.
 *
 * Data format:
 * - an epoch is `<token> <node>` or `<token> <node> settling`;
 * - the hash of marks has the field `#`, the register: the epoch's token, the number of marks, then the dimensions
 *   whose versions were ever created under it. The other fields are write ids, and each holds a mark: a JSON object of
 *   strings, including the marked names;
 * - a version is `<epoch token>.<token>`, then `!<write id>` for each write marked on it. Under another epoch it counts
 *   as missing.
 *
 * All of it belongs to one epoch, and if a part is lost, the rest shows it: a lost version gets the marks that name it
 * again (create-versions), and an epoch whose register or marks are incomplete is dropped (open_table). A new epoch
 * waits for the open writes.
 *
 * Another client may put any value under a key. A value of another form counts as lost, and the next write replaces it;
 * if the marks are of another type, the script fails, and the store drops epoch and marks.
 */
export const TABLE_FUNCTIONS = `
local epoch_key, marks_key = KEYS[1], KEYS[2]
local version_prefix = string.sub(epoch_key, 1, -2) .. 'v:'
local REGISTER = '#'

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

local function epoch_token()
  return string.match(epoch_text() or '', '^[^ ]+')
end

-- The findings of open_table.
local epoch, mark_count
local dimensions, is_registered = {}, {}

-- Answers whether the table has an epoch. Where the register is lost or counts other marks, marks are lost, and
-- the epoch is dropped.
local function open_table()
  epoch = epoch_token()
  if not epoch then return false end
  local register = redis.call('HGET', marks_key, REGISTER) or ''
  local of_epoch, count, names = string.match(register, '^([^ ]+) (%d+)(.*)$')
  mark_count = tonumber(count)
  if of_epoch ~= epoch or mark_count ~= redis.call('HLEN', marks_key) - 1 then
    redis.call('DEL', epoch_key)
    return false
  end
  for dimension in string.gmatch(names, ' ([^ ]+)') do
    dimensions[#dimensions + 1] = dimension
    is_registered[dimension] = true
  end
  return true
end

local function write_register()
  local names = table.concat(dimensions, ' ')
  local register = epoch .. ' ' .. mark_count .. (names == '' and '' or ' ' .. names)
  redis.call('HSET', marks_key, REGISTER, register)
end

local function register_dimension(dimension)
  if is_registered[dimension] then return end
  is_registered[dimension] = true
  dimensions[#dimensions + 1] = dimension
  write_register()
end

local function dimension_of(name)
  return string.match(name, '^([^=?]*)[=?]')
end

local function version_at(name)
  local text = text_at(version_prefix .. name, '^[%w_-]+%.[%w_-]+[!%w_-]*$')
  if text and string.sub(text, 1, #epoch + 1) == epoch .. '.' then
    return string.sub(text, #epoch + 2)
  end
end

-- A version of one value lives for a minute, so that values that are not read leave nothing behind; a stored answer
-- prolongs that. A marked version has no time to live, nor have the few others of a table.
local function put_version(name, version)
  local text = epoch .. '.' .. version
  if string.find(name, '^[^=?]*=') and not string.find(version, '!', 1, true) then
    redis.call('SET', version_prefix .. name, text, 'PX', 60000)
  else
    redis.call('SET', version_prefix .. name, text)
  end
end

-- The marks on a version without that of one write.
local function marks_without(version, write_id)
  local others = ''
  for id in string.gmatch(version, '!([^!]*)') do
    if id ~= write_id then others = others .. '!' .. id end
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

-- By write id; false for a damaged mark, which proves lost data.
local function all_marks()
  local fields, marks = redis.call('HGETALL', marks_key), {}
  for i = 1, #fields, 2 do
    local id = fields[i]
    if id ~= REGISTER then marks[id] = string.find(id, '^[%w_-]+$') and mark_of(fields[i + 1]) or false end
  end
  return marks
end

local function read_mark(write_id)
  local text = redis.call('HGET', marks_key, write_id)
  return text and mark_of(text)
end

local function write_mark(write_id, mark)
  redis.call('HSET', marks_key, write_id, cjson.encode(mark))
end

local function has_expired(mark)
  return tonumber(mark.deadlineMs) <= now_ms()
end
`;
