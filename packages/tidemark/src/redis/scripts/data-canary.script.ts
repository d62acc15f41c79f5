import { defineScript } from './script.js';

/**
 * Raises the number of a process. The number has no time to live, so `volatile-*` policies never drop it. A process
 * that joins gives the numbers of all others a time to live of one day: a live process removes it by raising its own
 * number.
 *
 * KEYS: number, hash of the processes. ARGV: the new number, then the process if it joins.
 * Returns the previous number; false if there was none.
 */
export const raiseNumber = defineScript(
  'raise-number',
  `
local key, processes, number, joining = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local stored = redis.pcall('GET', key)
if type(stored) ~= 'string' then stored = false end
if joining then
  local others = redis.pcall('HGETALL', processes)
  if others.err then
    redis.call('DEL', processes)
    others = {}
  end
  for i = 1, #others, 2 do
    if redis.call('PEXPIRE', processes .. ':' .. others[i], 86400000) == 0 then
      redis.call('HDEL', processes, others[i])
    end
  end
  redis.call('HSET', processes, joining, '')
end
-- A command of a connection that was given up may arrive late: it does not lower the number.
if joining or (tonumber(stored) or 0) < tonumber(number) then redis.call('SET', key, number) end
return stored
`,
);
