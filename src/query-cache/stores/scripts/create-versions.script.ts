import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Creates the versions that are missing and registers their dimensions.
 *
 * KEYS: epoch, marks, dimensions. ARGV: token, version names...
 * Answers the epoch, then each version; false where there is none.
 */
export const createVersions = defineScript(
  'create-versions',
  `${TABLE_FUNCTIONS}
local token = ARGV[1]
local answer = { redis.call('GET', epoch_key) }
for i = 2, #ARGV do
  local key = version_prefix .. ARGV[i]
  redis.call('SET', key, token, 'NX')
  local dimension = dimension_of(ARGV[i])
  if dimension then redis.call('SADD', dimensions_key, dimension) end
  answer[i] = redis.call('GET', key)
end
return answer
`,
);
