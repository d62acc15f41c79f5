import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Replaces the epoch by a settling one, only while it is the one observed. Marks, versions and dimensions of the
 * earlier one no longer count.
 *
 * KEYS: epoch, marks. ARGV: token, node, then the epoch observed unless it was missing.
 * Answers 1 when it did.
 */
export const rotateEpoch = defineScript(
  'rotate-epoch',
  `${TABLE_FUNCTIONS}
if epoch_text() ~= ARGV[3] then return 0 end
redis.call('SET', epoch_key, ARGV[1] .. ' ' .. ARGV[2] .. ' settling')
-- Versions with a mark have no time to live, and nobody takes these marks off.
for _, mark in pairs(all_marks()) do
  for _, name in ipairs(mark and mark.names or {}) do
    redis.call('PEXPIRE', version_prefix .. name, 60000)
  end
end
redis.call('DEL', marks_key)
redis.call('HSET', marks_key, REGISTER, ARGV[1] .. ' 0')
return 1
`,
);
