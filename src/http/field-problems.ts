/** Converts the issues of a schema into problems of fields, each with a remedy. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { cut, type FieldProblem } from './problem-document.js';

type Issue = StandardSchemaV1.Issue & { readonly code?: string; readonly keys?: unknown };

/** Further problems give a client no new information, and the list could be as long as the request. */
const MAX_PROBLEMS = 50;
const MAX_NAME_LENGTH = 100;

/**
 * @param value the validated value.
 * @param whole the name of the value itself, for an issue without a path, such as `body`.
 */
export function fieldProblems(
  issues: readonly StandardSchemaV1.Issue[],
  value: unknown,
  whole: string,
): FieldProblem[] {
  const problems = issues
    .slice(0, MAX_PROBLEMS)
    .flatMap((issue) => problemsOf(issue, value, whole));
  return problems.slice(0, MAX_PROBLEMS);
}

function problemsOf(issue: Issue, value: unknown, whole: string): FieldProblem[] {
  const path = (issue.path ?? []).map((segment) =>
    typeof segment === 'object' ? segment.key : segment,
  );
  if (issue.code === 'unrecognized_keys' && Array.isArray(issue.keys)) {
    return issue.keys.slice(0, MAX_PROBLEMS).map((key) => ({
      field: nameOf([...path, String(key)]),
      problem: 'is not a known field',
      remedy: 'Remove it.',
    }));
  }
  const field = path.length === 0 ? whole : nameOf(path);
  const { message } = issue;
  return valueAt(value, path) === undefined
    ? [{ field, problem: 'is missing', remedy: `Add it: it ${message}.` }]
    : [{ field, problem: message, remedy: `Send a value that fits: it ${message}.` }];
}

/** The client chooses the keys: they may be as long as a body. */
function nameOf(path: readonly PropertyKey[]): string {
  return cut(path.map(String).join('.'), MAX_NAME_LENGTH);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}
