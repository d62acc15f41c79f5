import type { UncacheableReason } from '../../core/statement-analysis.js';

/** Why the answer of a fill must not be stored. */
export interface AuditRefusal {
  readonly reason: UncacheableReason;
  readonly detail: string;
}
