import type { UncacheableReason } from '../core/statement-analysis.js';

/** Ends the analysis of a statement that is not cacheable; never leaves the analyser. */
export class ReadRefusal extends Error {
  constructor(
    readonly reason: UncacheableReason,
    readonly detail: string,
  ) {
    super(detail);
    this.name = 'ReadRefusal';
  }
}
