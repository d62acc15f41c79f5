import { defineScript } from './script.js';
import { TABLE_FUNCTIONS } from './table-functions.js';

/**
 * Replaces the epoch, only if it is still the observed one. With a token the table starts again: marks, versions and
 * dimensions of the earlier epoch no longer count.
 *
 * KEYS: epoch, marks. ARGV: the observed epoch (empty: it was missing), the new one, then its token unless it is the
 * same epoch, settled. Returns 1 if it did.
 */
export const replaceEpoch = defineScript(
  'replace-epoch',
  `${TABLE_FUNCTIONS}
if (epoch_text() or '') ~= ARGV[1] then return 0 end
redis.call('SET', epoch_key, ARGV[2])
if not ARGV[3] then return 1 end
-- Versions with a mark have no time to live, and these marks would never be removed.
for _, mark in pairs(all_marks()) do
  for _, name in ipairs(mark and mark.names or {}) do
    redis.call('PEXPIRE', version_prefix .. name, 60000)
  end
end
redis.call('DEL', marks_key)
redis.call('HSET', marks_key, REGISTER, ARGV[3] .. ' 0')
return 1
`,
);
