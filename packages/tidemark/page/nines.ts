/** The audit in words. */
import type { Overview } from '../src/page/page-api.js';
import { count, counted, percent } from './format.js';

type Audit = Overview['audit'];

/** The measured share of right answers, rounded down; `undefined`: nothing was compared yet. */
export function ninesOf({ maxDifferentShare }: Audit): string | undefined {
  if (maxDifferentShare === undefined) return undefined;
  const wrongPercent = maxDifferentShare * 100;
  if (wrongPercent <= 0) return '100 %';
  // Two digits of what is missing from 100 %.
  const digits = Math.min(12, Math.max(0, 1 - Math.floor(Math.log10(wrongPercent))));
  const scale = 10 ** digits;
  return `${(Math.floor((100 - wrongPercent) * scale + 1e-6) / scale).toFixed(digits)} %`;
}

export function auditSentence(audit: Audit): string {
  const nines = ninesOf(audit);
  if (nines !== undefined && audit.compared > 0) {
    return (
      `${count(audit.different)} of ${counted(audit.compared, 'compared answer')} differed: ` +
      `with 95 % confidence at least ${nines} are right.`
    );
  }
  if (audit.share > 0) {
    return `No hit has been compared with the database yet. ${percent(audit.share)} of hits will be.`;
  }
  return 'Hits are not compared with the database: set the option `audit` to a share of hits, such as 0.001.';
}
