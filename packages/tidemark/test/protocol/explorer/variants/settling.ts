import {
  WriterActivity,
  type WritingTransaction,
} from '../../../../src/core/ports/writer-activity.js';

/** `lease-guess`: a lease that has run out proves that its transaction has ended. */
export class NoWritersKnown extends WriterActivity {
  override async writers(): Promise<ReadonlyMap<number, WritingTransaction>> {
    return new Map();
  }
}
