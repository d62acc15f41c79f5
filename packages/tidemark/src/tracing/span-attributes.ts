/** Names and values of attributes. They hold no parameter, no SQL, no value of a region and no message of an error. */
import type { Attributes } from '@opentelemetry/api';
import type { TracedRead } from '../core/ports/tracer.js';
import { AbandonedFillError } from '../core/read-request.js';
import { sqlStateOf } from '../postgres/sql-state.js';

export const QUERY = 'tidemark.query';
const TABLES = 'tidemark.tables';
export const OUTCOME = 'tidemark.outcome';
/** A name of the semantic conventions. */
const ERROR_TYPE = 'error.type';

const MAX_TABLES = 20;

/** Each table once, at most 20. */
export function tablesOf(tables: Iterable<string>): Attributes {
  return { [TABLES]: [...new Set(tables)].slice(0, MAX_TABLES) };
}

/** From closed sets, so that they may be attributes of metrics. */
export function outcomeOf(read: TracedRead): Attributes {
  switch (read.source) {
    case 'hit':
      return { [OUTCOME]: 'hit', 'tidemark.level': read.level };
    case 'miss':
      return {
        [OUTCOME]: 'miss',
        'tidemark.stored': read.stored,
        ...(read.refusal !== undefined && { 'tidemark.detail': read.refusal }),
      };
    case 'bypass':
      return {
        [OUTCOME]: 'bypass',
        'tidemark.reason': read.reason,
        ...(read.detail !== undefined && { 'tidemark.detail': read.detail }),
      };
  }
}

/** The SQLSTATE or the name of the class: a message may hold a parameter. */
export function failureOf(error: unknown): Attributes {
  return {
    [OUTCOME]: 'failed',
    [ERROR_TYPE]: sqlStateOf(error) ?? (error instanceof Error ? error.name : '_OTHER'),
  };
}

export function isAbandoned(error: unknown): boolean {
  return error instanceof AbandonedFillError;
}
