/** What ended answers, and outcomes, in words. */
import type { MissReport, LiveRequest, RecentWrite, WriteReport } from '../src/observe/report.js';
import { ago } from './format.js';
import type { Tone } from './health.js';
import { regionsText } from './sums.js';

/** Who has written, such as `PATCH /users/:id`. */
export function originText({ source, origin }: Pick<WriteReport, 'source' | 'origin'>): string {
  if (source === 'outside') return 'a writer outside the service';
  if (source === 'invalidate') return origin ?? 'an invalidation by hand';
  return origin ?? 'an unnamed part of the service';
}

function statementText({ statements, source }: RecentWrite): string {
  const [first, ...others] = statements;
  if (!first) return source === 'invalidate' ? 'invalidation' : 'a write';
  return others.length > 0 ? `${first.title} and ${others.length} more` : first.title;
}

/** Such as `ended by UPDATE public.users of PATCH /users/:id, 3 s ago`. */
export function missCause({ cause, endedBy, outdated }: MissReport, nowMs: number): string {
  switch (cause) {
    case 'new':
      return 'first call with these parameters';
    case 'expired':
      return 'its time to live was over';
    case 'fresh':
      return 'the caller asked for a new answer';
    case 'outdated':
      if (!endedBy) {
        const regions = outdated.length > 0 ? ` of ${regionsText(outdated)}` : '';
        return `ended by a write${regions} that no instance remembers`;
      }
      return `ended by ${statementText(endedBy)} of ${originText(endedBy)}, ${ago(endedBy.atMs, nowMs)}`;
  }
}

export const OUTCOME_TONES: Readonly<Record<LiveRequest['outcome'], Tone>> = {
  hit: 'good',
  miss: 'plain',
  joined: 'plain',
  bypass: 'warn',
  failed: 'bad',
};

/** What can be done about bypasses and refusals to store, by their reason. */
export const REASON_HINTS: Readonly<Record<string, string>> = {
  'in-doubt': 'A write to its regions was running. It passes when the transaction ends.',
  settling: 'An epoch was replaced and is settling. See Doubt.',
  'schema-change': 'The schema had changed. It passes when the catalog is loaded.',
  unavailable: 'Redis did not answer. See the health of the instances.',
  'not-followed': 'Writes to one of its tables cannot be followed. See the triggers in Doubt.',
  'fill-timeout': 'Another request took too long to fill the entry.',
  'no-store': 'The caller asked for an answer that is not stored.',
  transaction: 'It ran inside a transaction.',
  uncacheable: 'It can never be cached: the treatment of the query says why.',
  shadow: 'Shadow mode is on: each query runs.',
  disabled: 'The cache is switched off.',
};
