import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Creates the versions that are missing and registers their dimensions. While there are marks,
 * versions of dimensions not registered yet stay missing, and a version that was lost gets the marks
 * again that lie on it. A version of one value lives for a minute: whoever stores an answer under it
 * prolongs that, and readers who ask for values that do not exist leave little behind.
 *
 * KEYS: epoch, marks, dimensions. ARGV: token, version names...
 * Answers the epoch, then each version; false where there is none.
 */
export const createVersions = defineScript(
  'create-versions',
  `${TABLE_FUNCTIONS}
local token = ARGV[1]
local has_marks = redis.call('EXISTS', marks_key) == 1

local function may_create(dimension)
  return not dimension or not has_marks
    or redis.call('SISMEMBER', dimensions_key, dimension) == 1
end

local answer = { epoch_text() or false }
for i = 2, #ARGV do
  local key = version_prefix .. ARGV[i]
  local dimension = dimension_of(ARGV[i])
  if may_create(dimension) then
    if not version_at(key) then
      local version = has_marks and token .. marks_on(ARGV[i]) or token
      put_version(key, version, 60000)
    end
    if dimension then redis.call('SADD', dimensions_key, dimension) end
  end
  answer[i] = version_at(key) or false
end
return answer
`,
  false,
);
