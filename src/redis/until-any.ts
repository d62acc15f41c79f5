/** Calls `done` when something has happened; answers a function that stops waiting for it. */
export type Happening = (done: () => void) => () => void;

/** Resolves when the first of the happenings has come, or after `limitMs`. */
export function untilAny(limitMs: number, happenings: readonly Happening[]): Promise<void> {
  return new Promise((resolve) => {
    const stops: (() => void)[] = [];
    const done = (): void => {
      clearTimeout(timer);
      for (const stop of stops.splice(0)) stop();
      resolve();
    };
    const timer = setTimeout(done, limitMs);
    for (const happening of happenings) stops.push(happening(done));
  });
}
