import { TransactionLog } from '../../../../src/core/write-set.js';
import { inOutbox, writtenVersions, Writer, type TransactionPlan } from '../actors/writer.js';
import { Transaction } from '../world/postgres.js';
import { execute } from '../actors/statements.js';

/**
 * `auto-begin`: a statement outside a transaction gets no implicit one; it is published, then sent, and commits by
 * itself.
 */
export class AutoBeginWriter extends Writer {
  protected override async run({ statements }: TransactionPlan): Promise<void> {
    const expected = new TransactionLog();
    const trial = new Transaction('', 0, () => this.around.postgres.now);
    for (const statement of statements) execute(statement, trial, expected);
    const written = writtenVersions(expected);
    const publishedWrite = await this.protocol.begin(written, this.plan.backendPid, inOutbox);
    await this.write(statements, new TransactionLog());
    this.protocol.conclude(publishedWrite, await this.commit(false));
  }
}
