/** Whether a promise is the value or lies anywhere below it. */
export function holdsPromise(value: unknown): boolean {
  const seen = new Set<unknown>();
  const pending = [value];
  // The list grows while it is walked.
  for (const item of pending) {
    if (typeof item !== 'object' || item === null || seen.has(item)) continue;
    seen.add(item);
    if (typeof (item as { then?: unknown }).then === 'function') return true;
    if (ArrayBuffer.isView(item)) continue;
    for (const below of Object.values(item) as unknown[]) pending.push(below);
  }
  return false;
}
