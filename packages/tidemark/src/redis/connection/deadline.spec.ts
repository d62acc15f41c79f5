import { describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from './deadline.js';

describe('withDeadline', () => {
  it('rejects a promise that takes longer, and no other', async () => {
    await expect(withDeadline(delay(500), 20, 'PING')).rejects.toThrow('PING within 20 ms');
    await expect(withDeadline(delay(1, 'answer'), 500, 'PING')).resolves.toBe('answer');
  });

  it('restarts the time limit after a stall of this process', async () => {
    let answer: (text: string) => void = () => undefined;
    const asked = withDeadline(new Promise<string>((resolve) => (answer = resolve)), 40, 'PING');
    const untilMs = performance.now() + 200;
    while (performance.now() < untilMs);
    // The command leaves only now, and its answer takes some time.
    setTimeout(() => answer('answer'), 10);
    await expect(asked).resolves.toBe('answer');
  });
});
