import type { Catalogue } from '../core/table-facts.js';
import type { TableResolver } from './from-clause.js';
import type { ParameterUse } from './terms.js';

/** What is known around one writing part of a statement. */
export interface WriteContext {
  readonly catalogue: Catalogue;
  /** Of the statement as a whole. */
  readonly parameters: ParameterUse;
  /** The statement whose answer counts the part's rows, if any does. */
  readonly countedBy: number | undefined;
  /** Whether the rows of the answer are what the part returns. */
  readonly answersRows: boolean;
  /** The tables that names beside the target stand for; a common table expression is none. */
  readonly tableOf: TableResolver;
}
