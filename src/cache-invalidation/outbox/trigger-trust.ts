/** Which tables tell of their writes by triggers, and whether they can be believed. */
import type { TableFacts } from '../../query-cache/index.js';
import type { OutboxObjects } from './outbox-objects.js';
import type { TriggerKeeperLog } from './trigger-keeper.js';
import { stateOf } from './trigger-states.js';

export class TriggerTrust {
  readonly #known = new WeakMap<TableFacts, boolean>();
  readonly #toldOf = new Set<string>();
  #onDoubt: () => void = () => undefined;

  constructor(
    private readonly objects: OutboxObjects,
    private readonly log: TriggerKeeperLog,
  ) {}

  /** Whether the table has the triggers, by what the catalogue says. */
  readonly isTold = (table: TableFacts): boolean => {
    let isTold = this.#known.get(table);
    if (isTold === undefined) {
      isTold = stateOf(table.captures, table, this.objects) === 'installed';
      this.#known.set(table, isTold);
    }
    return isTold;
  };

  /** Says once of each table what it costs that it has no triggers. */
  tellOf(untold: readonly TableFacts[]): void {
    for (const { id } of untold) {
      if (this.#toldOf.has(id)) continue;
      this.#toldOf.add(id);
      this.log.log(
        `Table ${id} has no triggers that tell what is written: every write to it ends all its answers, ` +
          'and writes from outside the application are not seen.',
      );
    }
  }

  /** Rows of these tables were changed, and their triggers have not said so. */
  doubt(silent: readonly string[]): void {
    this.log.warn(
      `The triggers of ${silent.join(', ')} have not told of a write, which was taken for a write to ` +
        'everything: they were switched off or taken away. The catalog is reloaded.',
    );
    this.#onDoubt();
  }

  /** @param onDoubt looks after the triggers at once. */
  follow(onDoubt: () => void): void {
    this.#onDoubt = onDoubt;
  }
}
