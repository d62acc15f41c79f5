/** Requests and hits of the last 60 minutes. */
export const MINUTE_MS = 60_000;
export const MINUTES = 60;

export class MinuteRing {
  readonly #requests = new Float64Array(MINUTES);
  readonly #hits = new Float64Array(MINUTES);
  #minute = 0;

  /** @param minute number of the minute since the Unix epoch. */
  count(minute: number, isHit: boolean): void {
    if (minute !== this.#minute) this.#advance(minute);
    const place = minute % MINUTES;
    this.#requests[place] = (this.#requests[place] ?? 0) + 1;
    if (isHit) this.#hits[place] = (this.#hits[place] ?? 0) + 1;
  }

  /** The minutes up to the given one, the earliest with requests first. */
  read(minute: number): { readonly requests: number; readonly hits: number }[] {
    if (minute !== this.#minute) this.#advance(minute);
    const placeOf = (index: number): number => (minute + 1 + index) % MINUTES;
    let first = 0;
    while (first < MINUTES && this.#requests[placeOf(first)] === 0) first += 1;
    return Array.from({ length: MINUTES - first }, (_, index) => {
      const place = placeOf(first + index);
      return { requests: this.#requests[place] ?? 0, hits: this.#hits[place] ?? 0 };
    });
  }

  /** A clock that was set back counts into the minutes that it repeats. */
  #advance(minute: number): void {
    const passed = Math.min(MINUTES, minute - this.#minute);
    for (let back = 0; back < passed; back += 1) {
      const place = (minute - back) % MINUTES;
      this.#requests[place] = 0;
      this.#hits[place] = 0;
    }
    this.#minute = minute;
  }
}
