import { defineScript } from './script.js';

/** A lock that outlives every lease was put there by another client: nobody would give it back. */
const DROP_FOREIGN = `
local function drop_foreign(lock, lease_ms)
  local left_ms = redis.call('PTTL', lock)
  if left_ms == -1 or left_ms > tonumber(lease_ms) then redis.call('DEL', lock) end
end
`;

/**
 * Takes the lock for an owner, also again for the same owner.
 *
 * KEYS: lock. ARGV: owner, lease in ms. Answers 1, or 0 when another owner holds it.
 */
export const takeFillLock = defineScript(
  'take-fill-lock',
  `${DROP_FOREIGN}
drop_foreign(KEYS[1], ARGV[2])
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`,
);

/**
 * Takes the lock where there is no entry yet.
 *
 * KEYS: entry, lock. ARGV: owner, lease in ms. Answers 1, 0 when another owner holds it, or 2 when there
 * is an entry.
 */
export const takeEarlyFillLock = defineScript(
  'take-early-fill-lock',
  `${DROP_FOREIGN}
if redis.call('EXISTS', KEYS[1]) == 1 then return 2 end
drop_foreign(KEYS[2], ARGV[2])
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
`,
);

/**
 * Gives the lock back, only when the owner still holds it.
 *
 * KEYS: lock. ARGV: owner.
 */
export const releaseFillLock = defineScript(
  'release-fill-lock',
  `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`,
);
