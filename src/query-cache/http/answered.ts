import { Observable, type Subscriber } from 'rxjs';

/**
 * Puts the outcome of `answer` in the place of every value that `isQuestion`; other values pass as they
 * are. What `mergeMap` does for a promise, without an observable for each of them.
 */
export function answered<Q>(
  values: Observable<unknown>,
  isQuestion: (value: unknown) => value is Q,
  answer: (question: Q) => Promise<unknown>,
): Observable<unknown> {
  return new Observable((subscriber: Subscriber<unknown>) => {
    let pending = 0;
    let isComplete = false;
    const settle = (): void => {
      if (isComplete && pending === 0) subscriber.complete();
    };
    return values.subscribe({
      next: (value) => {
        if (!isQuestion(value)) {
          subscriber.next(value);
          return;
        }
        pending += 1;
        answer(value).then(
          (outcome) => {
            pending -= 1;
            subscriber.next(outcome);
            settle();
          },
          (error: unknown) => subscriber.error(error),
        );
      },
      error: (error) => subscriber.error(error),
      complete: () => {
        isComplete = true;
        settle();
      },
    });
  });
}
