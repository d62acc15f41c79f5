/**
 * The tables without triggers that a write may change: its target, and those that foreign keys lead to from
 * there. Tables with triggers tell of that themselves.
 */
import {
  isTemporary,
  type Catalogue,
  type TableAction,
  type TableFacts,
  type WriteTarget,
} from '../query-cache/index.js';

export interface UntoldReach {
  readonly tables: readonly TableFacts[];
  /** Somebody's triggers, rules or functions run on the way: they may write any other table. */
  readonly hasUnknown: boolean;
}

interface Step {
  readonly table: TableFacts;
  readonly actions: readonly TableAction[];
}

export function untoldReach(
  { table, actions, cascades }: WriteTarget,
  catalogue: Catalogue,
  isTold: (table: TableFacts) => boolean,
): UntoldReach {
  const steps = new Map<string, Step>();
  let hasUnknown = false;
  const go = (id: string, by: readonly TableAction[]): void => {
    const facts = catalogue.tableById(id);
    if (facts) steps.set(`${id} ${by.join()}`, { table: facts, actions: by });
    else hasUnknown = true;
  };
  go(table, actions);
  // The map grows while it is walked.
  for (const step of steps.values()) {
    const family = familyOf(step.table, catalogue);
    const all = withMoves(step.actions, family);
    for (const member of family) {
      hasUnknown ||= all.some((action) => member.sideEffects.has(action));
      for (const { table: other, onDelete, onUpdate } of member.cascades) {
        if (all.includes('update') && onUpdate) go(other, ['update']);
        if (all.includes('delete') && onDelete !== 'nothing') go(other, [onDelete]);
      }
      if (cascades) for (const other of member.referencedBy) go(other, ['truncate']);
    }
  }
  const reached = new Set([...steps.values()].map((step) => step.table));
  // Nobody else sees a temporary table.
  const tables = [...reached].filter((facts) => !isTemporary(facts) && !isTold(facts));
  return { tables, hasUnknown };
}

/** Whether rows written to the table, by whatever name it has in its family, are told. */
export function isFamilyTold(
  table: TableFacts,
  catalogue: Catalogue,
  isTold: (table: TableFacts) => boolean,
): boolean {
  return familyOf(table, catalogue).every(isTold);
}

function familyOf(table: TableFacts, catalogue: Catalogue): readonly TableFacts[] {
  return [table, ...table.relatives.flatMap((id) => catalogue.tableById(id) ?? [])];
}

/** An UPDATE may move a row to another partition: it is deleted in the one, inserted in the other. */
function withMoves(
  actions: readonly TableAction[],
  family: readonly TableFacts[],
): readonly TableAction[] {
  const mayMove = actions.includes('update') && family.some(({ kind }) => kind === 'partitioned');
  return mayMove ? [...actions, 'insert', 'delete'] : actions;
}
