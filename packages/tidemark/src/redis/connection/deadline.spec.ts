import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from './deadline.js';

describe('withDeadline', () => {
  it('rejects what takes longer, and only that', async () => {
    await expect(withDeadline(delay(500), 20, 'PING')).rejects.toThrow('PING within 20 ms');
    await expect(withDeadline(delay(1, 'answer'), 500, 'PING')).resolves.toBe('answer');
  });

  it('gives what was asked before a stall of this process its time after it', async () => {
    let answer: (text: string) => void = () => undefined;
    const asked = withDeadline(new Promise<string>((resolve) => (answer = resolve)), 40, 'PING');
    const untilMs = performance.now() + 200;
    while (performance.now() < untilMs);
    // The question leaves only now, and its answer takes some time.
    setTimeout(() => answer('answer'), 10);
    await expect(asked).resolves.toBe('answer');
  });
});
