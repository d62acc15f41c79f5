import { describe, expect, it } from 'vitest';
import { progressBar } from './progress-bar.js';

function shown(isTTY: boolean, steps: readonly number[], total: number): string[] {
  const written: string[] = [];
  const progress = progressBar('Users', { isTTY, write: (text) => written.push(String(text)) > 0 });
  for (const done of steps) progress(done, total);
  return written;
}

describe('progressBar', () => {
  it('fills one line on a terminal', () => {
    const written = shown(true, [1, 2], 2);
    expect(written).toEqual([
      `\rUsers ${'█'.repeat(15)}${'░'.repeat(15)} 1/2`,
      `\rUsers ${'█'.repeat(30)} 2/2\n`,
    ]);
  });

  it('writes ten lines elsewhere, including the last step', () => {
    const steps = Array.from({ length: 1000 }, (_, i) => i + 1);
    const written = shown(false, steps, 1000);
    expect(written).toHaveLength(10);
    expect(written.at(-1)).toBe('Users: 1000 of 1000\n');
  });
});
