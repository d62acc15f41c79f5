/** Whether the value is a promise, or contains one at any depth. */
export function holdsPromise(value: unknown): boolean {
  const seen = new Set<unknown>();
  const pending = [value];
  // The list grows during the loop.
  for (const item of pending) {
    if (typeof item !== 'object' || item === null || seen.has(item)) continue;
    seen.add(item);
    if (typeof (item as { then?: unknown }).then === 'function') return true;
    if (ArrayBuffer.isView(item)) continue;
    for (const below of Object.values(item) as unknown[]) pending.push(below);
  }
  return false;
}
