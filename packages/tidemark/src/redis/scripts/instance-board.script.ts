/**
 * The scripts on the board of the instances: a hash with the field `i:<id>` for each instance, which holds
 * `<deadline on the clock of Redis> <report>`, and the field `mode`. Another client may put any value there.
 *
 * KEYS of each script: the board. At the memory limit Redis refuses them all: entries need the memory more.
 */
import { defineScript } from './script.js';

const BOARD_FUNCTIONS = `
local board = KEYS[1]

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A key of another type is not a board.
local function call(command, ...)
  local answer = redis.pcall(command, board, ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if not string.find(answer.err, '^WRONGTYPE') then error(answer.err) end
  redis.call('DEL', board)
  return redis.call(command, board, ...)
end
`;

/** ARGV: id, report, its time to live in ms, that of the board, the mode if there is none. Returns the mode. */
export const publishReport = defineScript(
  'publish-report',
  `${BOARD_FUNCTIONS}
local id, report, ttl_ms, board_ttl_ms, mode = unpack(ARGV)
call('HSET', 'i:' .. id, string.format('%.0f %s', now_ms() + ttl_ms, report))
redis.call('PEXPIRE', board, board_ttl_ms)
local known = redis.call('HGET', board, 'mode')
if known then return known end
if mode ~= '' then redis.call('HSET', board, 'mode', mode) end
return mode
`,
  false,
);

/**
 * Removes what is over or is no report, and what would stay longer than any report.
 *
 * ARGV, each at most: the length of a report, the number of reports, their time to live in ms. Returns the reports.
 */
export const readReports = defineScript(
  'read-reports',
  `${BOARD_FUNCTIONS}
local max_length, max_reports, max_ttl_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local fields, reports, now = call('HGETALL'), {}, now_ms()
for i = 1, #fields, 2 do
  local field, text = fields[i], fields[i + 1]
  if field ~= 'mode' then
    local deadline_ms, report = string.match(text, '^(%d+) (.*)$')
    local left_ms = (tonumber(deadline_ms) or 0) - now
    if report and #report <= max_length and left_ms > 0 and left_ms <= max_ttl_ms then
      if #reports < max_reports then reports[#reports + 1] = report end
    else
      redis.call('HDEL', board, field)
    end
  end
end
return reports
`,
  false,
);

/** ARGV: id. */
export const removeReport = defineScript(
  'remove-report',
  `${BOARD_FUNCTIONS}
return call('HDEL', 'i:' .. ARGV[1])
`,
  false,
);

/** ARGV: mode, the time to live of the board in ms. */
export const setMode = defineScript(
  'set-mode',
  `${BOARD_FUNCTIONS}
call('HSET', 'mode', ARGV[1])
return redis.call('PEXPIRE', board, ARGV[2])
`,
  false,
);
