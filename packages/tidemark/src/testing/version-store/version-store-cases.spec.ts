import { describe, expect, it } from 'vitest';
import { MemoryVersionStore } from '../../core/memory/memory-version-store.js';
import { versionStoreCases, type VersionStoreUnderTest } from './version-store-cases.js';

/** A store whose marks stay when their write has ended. */
class ForgetfulStore extends MemoryVersionStore {
  override async end(): Promise<void> {}
}

/** The titles of the cases that the store fails, and how often it was closed. */
async function failing(Store: typeof MemoryVersionStore): Promise<[string[], number]> {
  const failed: string[] = [];
  let closed = 0;
  let nowMs = 0;
  const open = async (): Promise<VersionStoreUnderTest> => ({
    store: new Store({ clock: { nowMs: () => nowMs } }),
    pass: async (durationMs) => void (nowMs += durationMs),
    close: async () => void (closed += 1),
  });
  for (const { title, run } of versionStoreCases) await run(open).catch(() => failed.push(title));
  return [failed, closed];
}

describe('versionStoreCases', () => {
  it('each title names one case', () => {
    const titles = versionStoreCases.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('the store in memory passes all, and each opened store is closed', async () => {
    expect(await failing(MemoryVersionStore)).toEqual([[], versionStoreCases.length]);
  });

  it('a store that keeps the marks of ended writes fails', async () => {
    const [failed, closed] = await failing(ForgetfulStore);
    expect(failed).toContain(
      'end and abort: end replaces the versions of this write and leaves the marks of others',
    );
    expect(closed).toBe(versionStoreCases.length);
  });
});
