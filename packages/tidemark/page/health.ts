/** The health of the instances in words. */
import type { InstanceSummary } from '../src/page/page-api.js';
import { ago, counted } from './format.js';

export type Tone = 'good' | 'warn' | 'bad' | 'plain';

export interface Health {
  readonly tone: Tone;
  readonly text: string;
}

/** An instance publishes every few seconds: after this time it has missed several turns. */
const SILENT_MS = 15_000;

export function healthOf({ health, atMs }: InstanceSummary, nowMs: number): Health {
  if (nowMs - atMs > SILENT_MS) {
    return { tone: 'warn', text: `Silent: its last report is of ${ago(atMs, nowMs)}.` };
  }
  if (health.status === 'up') return { tone: 'good', text: 'Healthy' };
  return { tone: 'bad', text: `Degraded: ${health.detail ?? 'no detail was given.'}` };
}

export function healthOfAll(instances: readonly InstanceSummary[], nowMs: number): Health {
  const troubled = instances.filter((one) => healthOf(one, nowMs).tone !== 'good').length;
  if (instances.length === 0) return { tone: 'warn', text: 'No instance has reported.' };
  if (troubled === 0) {
    const text =
      instances.length === 1
        ? 'The one instance is healthy.'
        : `All ${instances.length} instances are healthy.`;
    return { tone: 'good', text };
  }
  const some = `${troubled} of ${counted(instances.length, 'instance')}`;
  return {
    tone: 'bad',
    text: `${some} ${troubled === 1 ? 'needs' : 'need'} attention. Reads are right all the same, but slower.`,
  };
}
