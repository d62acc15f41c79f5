import { defineScript } from './script.js';

/**
 * Takes the lock for an owner, again too for the same owner.
 *
 * KEYS: lock, then the entry if the lock is wanted only without one. ARGV: owner, lease in ms.
 * Returns 1, 0 if another owner holds it, or 2 if there is an entry.
 */
export const takeFillLock = defineScript(
  'take-fill-lock',
  `
local lock, entry = KEYS[1], KEYS[2]
local owner, lease_ms = ARGV[1], ARGV[2]
if entry and redis.call('EXISTS', entry) == 1 then return 2 end
-- A lock that outlives every lease was put there by another client, which would never release it.
local left_ms = redis.call('PTTL', lock)
if left_ms == -1 or left_ms > tonumber(lease_ms) then redis.call('DEL', lock) end
if redis.call('SET', lock, owner, 'NX', 'PX', lease_ms) then return 1 end
if redis.call('GET', lock) ~= owner then return 0 end
redis.call('PEXPIRE', lock, lease_ms)
return 1
`,
);

/** Releases the lock, only if the owner still holds it. KEYS: lock. ARGV: owner. */
export const releaseFillLock = defineScript(
  'release-fill-lock',
  `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`,
);
