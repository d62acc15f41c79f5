import { defineScript } from './script.js';

/**
 * Runs each command that the cache uses, in a form that changes nothing. An error about a key of another type is not a
 * refusal.
 *
 * KEYS: a key that is never set, a question, a key that holds an empty text after this script.
 * Returns the question of a starting instance (nil without one), then the refused commands.
 */
export const heartbeat = defineScript(
  'heartbeat',
  `
local unset, text = KEYS[1], KEYS[3]
local refused = {}

local function try(command, ...)
  local answer = redis.pcall(command, ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if string.find(answer.err, '^WRONGTYPE') then return false end
  refused[#refused + 1] = command
  return false
end

local question = try('GET', KEYS[2])
try('MGET', unset)
try('GETRANGE', unset, 0, 0)
try('PTTL', unset)
try('EXISTS', unset)
try('DEL', unset)
try('PEXPIRE', unset, 1)
try('TIME')
-- Without the text, commands on sets and hashes would make some.
if try('SET', text, '', 'NX') or redis.pcall('EXISTS', text) == 1 then
  try('SADD', text, '')
  try('SMEMBERS', text)
  try('HSET', text, '', '')
  try('HGET', text, '')
  try('HGETALL', text)
  try('HLEN', text)
  try('HDEL', text, '')
end
return { question, unpack(refused) }
`,
);

/**
 * Removes a question, which answers it, only if it is still the same one.
 *
 * KEYS: question. ARGV: the question. Returns 1 if it did.
 */
export const answerQuestion = defineScript(
  'answer-question',
  `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
`,
);
