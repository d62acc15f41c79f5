/** The latest events of each territory, as evidence of a violation. */

export interface WriteNote {
  readonly kind: string;
  readonly request: string;
  readonly via: string;
  /** The state it leads to; `undefined` for a write that the service has to refuse. */
  readonly state: number | undefined;
  readonly sentMs: number;
  endedMs: number | undefined;
  outcome: string;
}

const REMEMBERED = 25;

export class Journal {
  readonly #notes = new Map<string, WriteNote[]>();

  add(territory: string, note: WriteNote): WriteNote {
    const notes = this.#notes.get(territory) ?? [];
    this.#notes.set(territory, notes);
    notes.push(note);
    if (notes.length > REMEMBERED) notes.shift();
    return note;
  }

  /** One line a write, oldest first; times in seconds of the run. */
  extract(territory: string, startMs: number): string[] {
    const seconds = (ms: number | undefined): string =>
      ms === undefined ? '...' : ((ms - startMs) / 1000).toFixed(4);
    return (this.#notes.get(territory) ?? []).map(
      ({ kind, request, via, state, sentMs, endedMs, outcome }) =>
        `  ${seconds(sentMs)}-${seconds(endedMs)} ${state === undefined ? '' : `state ${state}: `}` +
        `${kind} (${request}) via ${via}: ${outcome}`,
    );
  }
}
