/** Runs all steps at once; settles after all of them, so that no step is still in flight. Rejects with the first failure. */
export async function settledSteps(steps: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(steps);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
}
