/**
 * Checks every read against the histories of the territories (history.ts).
 *
 * Users without a known owner may be read too: their id is free, or it was given by an insert whose
 * ids are not known yet. Such a user may be missing as long as no read has shown it; its row is
 * checked as soon as its owner is known.
 */
import { Bounds, type Span } from './bounds.js';
import { ABSENT, type Finding, type History } from './history.js';
import { disagreement, type Spread, type StateRange } from './order-of-states.js';
import { OUTSIDE_PREFIX } from './outside-writer.js';
import { COUNTS, listOf, territoryOf, userOf, type Territory } from './territory.js';

/** The target of a read. */
export type Target =
  | {
      readonly kind: 'list';
      readonly territory: Territory;
      readonly region: string;
      /** More than there are users in a region: another key for the same answer. */
      readonly limit?: number;
    }
  | { readonly kind: 'user'; readonly id: number }
  | { readonly kind: 'counts' };

/** A read that is under way. */
export interface Ticket {
  readonly target: Target;
  /** By territory; a territory without a floor was not there yet. */
  readonly floors: ReadonlyMap<string, number>;
  /** Whether an earlier read had shown the user while no territory owned it. */
  readonly wasSeen: boolean;
  readonly sentAtMs: number;
}

/** The circumstances of a read, reported only if it was wrong. */
export type Circumstances = () => string;

export interface Violation {
  readonly territory: string | undefined;
  /** One paragraph: the answer, and the right answers. */
  readonly text: string;
}

interface CheckedRead {
  readonly history: History;
  readonly register: string;
  readonly answer: string;
  readonly floor: number;
  readonly ceiling: number;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  readonly circumstances: Circumstances;
}

/** Of a user that no territory owns yet. */
type UnownedRead = Pick<CheckedRead, 'answer' | 'sentAtMs' | 'answeredAtMs' | 'circumstances'>;

/** Answers over all territories that later ones are compared with. */
const REMEMBERED_SPREADS = 40;

export class Checker {
  readonly #territories = new Map<string, Territory>();
  readonly #owners = new Map<number, Territory>();
  readonly #seen = new Set<number>();
  readonly #unowned = new Map<number, UnownedRead[]>();
  readonly #deferred = new Map<string, CheckedRead[]>();
  #spreads: { spread: Spread; circumstances: Circumstances }[] = [];
  #checked = 0;
  #largestId = 0;

  constructor(
    private readonly report: (violation: Violation) => void,
    private readonly nowMs: () => number,
    /** The times at which an old answer is no violation. */
    private readonly bounds = new Bounds(nowMs),
  ) {}

  /** Reads that were checked. */
  get checked(): number {
    return this.#checked;
  }

  /** Reads that wait for ids to become known. */
  get waiting(): number {
    const counts = [...this.#deferred.values(), ...this.#unowned.values()];
    return counts.reduce((sum, reads) => sum + reads.length, 0);
  }

  /** The largest id that was ever seen; larger ones are likely to be given next. */
  get largestId(): number {
    return this.#largestId;
  }

  add(territory: Territory): void {
    this.#territories.set(territory.name, territory);
  }

  /** The ids of the write under way have become known, if it has given any. */
  addIds(territory: Territory, ids: ReadonlyMap<string, number>): void {
    territory.addIds(ids, this.nowMs());
    for (const id of ids.values()) {
      this.#largestId = Math.max(this.#largestId, id);
      this.#owners.set(id, territory);
      for (const read of this.#unowned.get(id) ?? []) {
        const { history } = territory;
        const { ceiling } = history;
        this.#verify({ ...read, history, register: userOf(id), floor: 0, ceiling });
      }
      this.#unowned.delete(id);
    }
    this.#reconsider(territory);
  }

  /** The write under way has certainly not happened. */
  revoke(territory: Territory, reason: string): void {
    if (!territory.revoke()) {
      this.#report(territory.name, `A read has shown a write that has not happened: ${reason}`);
    }
    this.#reconsider(territory);
  }

  /** A read is about to be sent. */
  send(target: Target): Ticket {
    const sentAtMs = this.nowMs();
    if (target.kind === 'list') {
      const { history } = target.territory;
      const floors = new Map([[history.name, history.floor]]);
      return { target, floors, wasSeen: false, sentAtMs };
    }
    if (target.kind === 'user') {
      const history = this.#owners.get(target.id)?.history;
      const floors = new Map(history ? [[history.name, history.floor]] : []);
      return { target, floors, wasSeen: this.#seen.has(target.id), sentAtMs };
    }
    const histories = [...this.#territories.values()].map(({ history }) => history);
    const floors = new Map(histories.map(({ name, floor }) => [name, floor]));
    return { target, floors, wasSeen: false, sentAtMs };
  }

  /** The answer to a read: the body, or {@link ABSENT}. */
  answer(ticket: Ticket, answer: string, circumstances: Circumstances): void {
    this.#checked += 1;
    const { target } = ticket;
    if (target.kind === 'counts') return this.#answerCounts(ticket, answer, circumstances);
    const territory = target.kind === 'list' ? target.territory : this.#owners.get(target.id);
    if (!territory) return this.#answerUnowned(ticket, answer, circumstances);
    const { history } = territory;
    this.#verify({
      history,
      register: target.kind === 'list' ? listOf(target.region) : userOf(target.id),
      answer,
      floor: ticket.floors.get(history.name) ?? 0,
      ceiling: history.ceiling,
      sentAtMs: ticket.sentAtMs,
      answeredAtMs: this.nowMs(),
      circumstances,
    });
  }

  /** At the end, when all ids are known: reads that still wait are violations. */
  close(): void {
    for (const reads of this.#deferred.values())
      for (const read of reads) this.#reportUnlessAllowed(read);
    for (const [id, reads] of this.#unowned) {
      for (const { answer, circumstances } of reads) {
        this.#report(undefined, `User ${id} was never inserted: ${answer}\n${circumstances()}`);
      }
    }
    this.#deferred.clear();
    this.#unowned.clear();
  }

  #answerUnowned(ticket: Ticket, answer: string, circumstances: Circumstances): void {
    const { id } = ticket.target as Extract<Target, { kind: 'user' }>;
    if (answer !== ABSENT) {
      this.#seen.add(id);
      this.#largestId = Math.max(this.#largestId, id);
      const reads = this.#unowned.get(id) ?? [];
      const { sentAtMs } = ticket;
      const read = { answer, sentAtMs, answeredAtMs: this.nowMs(), circumstances };
      this.#unowned.set(id, [...reads, read]);
    } else if (ticket.wasSeen && !this.bounds.allow(this.#spanOf(ticket))) {
      this.#report(undefined, `User ${id} was there before, and is missing.\n${circumstances()}`);
    }
  }

  #answerCounts(ticket: Ticket, answer: string, circumstances: Circumstances): void {
    const counts = countsByTerritory(answer);
    const spread = new Map<string, StateRange>();
    for (const [name, { history }] of this.#territories) {
      const finding = this.#verify({
        history,
        register: COUNTS,
        answer: counts.get(name) ?? '',
        floor: ticket.floors.get(name) ?? 0,
        ceiling: history.ceiling,
        sentAtMs: ticket.sentAtMs,
        answeredAtMs: this.nowMs(),
        circumstances,
      });
      if (finding.kind === 'fits') spread.set(name, finding);
      counts.delete(name);
    }
    for (const name of counts.keys()) {
      if (name.startsWith(OUTSIDE_PREFIX)) continue;
      this.#report(undefined, `No territory owns the regions of ${name}.\n${circumstances()}`);
    }
    if (!this.bounds.covers(this.#spanOf(ticket))) this.#compare(spread, circumstances);
  }

  #compare(spread: Spread, circumstances: Circumstances): void {
    for (const other of this.#spreads) {
      const found = disagreement(spread, other.spread);
      if (!found) continue;
      this.#report(
        undefined,
        `Two answers show the writes in two orders: one is older in ${found.older} and newer in ` +
          `${found.newer} than the other.\n${circumstances()}\n${other.circumstances()}`,
      );
      return;
    }
    this.#spreads.push({ spread, circumstances });
    if (this.#spreads.length > REMEMBERED_SPREADS) this.#spreads.shift();
  }

  #verify(read: CheckedRead): Finding {
    const { history, register, answer, floor, ceiling } = read;
    const finding = history.check(register, answer, floor, ceiling);
    if (finding.kind === 'fits') history.prove(finding.first);
    if (finding.kind === 'violation') this.#reportUnlessAllowed(read);
    if (finding.kind === 'deferred') {
      const reads = this.#deferred.get(history.name) ?? [];
      this.#deferred.set(history.name, reads);
      reads.push(read);
    }
    return finding;
  }

  #reconsider({ name }: Territory): void {
    const reads = this.#deferred.get(name) ?? [];
    this.#deferred.delete(name);
    for (const read of reads) {
      this.#verify({ ...read, ceiling: Math.min(read.ceiling, read.history.ceiling) });
    }
  }

  #spanOf({ sentAtMs }: Ticket): Span {
    return { fromMs: sentAtMs, untilMs: this.nowMs() };
  }

  #reportUnlessAllowed(read: CheckedRead): void {
    const { sentAtMs, answeredAtMs } = read;
    if (!this.bounds.allow({ fromMs: sentAtMs, untilMs: answeredAtMs })) this.#reportStale(read);
  }

  #reportStale(read: CheckedRead): void {
    const { history, register, answer, floor, ceiling, circumstances } = read;
    const versions = history.versions(register);
    const allowed = versions
      .filter(({ from }, i) => from <= ceiling && (versions[i + 1]?.from ?? Infinity) > floor)
      .map(({ from, value }) => `  from state ${from}: ${value ?? '(ids not known)'}`);
    const equal = versions.findLastIndex(({ value }) => value === answer);
    const next = versions[equal + 1];
    const past =
      equal < 0
        ? 'No state that is remembered has this value.'
        : next
          ? `It is the value of state ${versions[equal]?.from}, which ended with state ${next.from}; ` +
            `that write was sent ${(read.sentAtMs - next.sinceMs).toFixed(1)} ms before the read.`
          : `It is the value of state ${versions[equal]?.from}, which was not sent yet.`;
    this.#report(
      history.name,
      [
        `${register} of ${history.name} answered what no state from ${floor} to ${ceiling} has.`,
        `  answered: ${answer}`,
        ...allowed,
        past,
        circumstances(),
      ].join('\n'),
    );
  }

  #report(territory: string | undefined, text: string): void {
    this.report({ territory, text });
  }
}

/** `a=1 b=2` by territory, from the body of `GET /regions`. */
function countsByTerritory(body: string): Map<string, string> {
  const counts = new Map<string, string>();
  for (const { region, users } of JSON.parse(body) as { region: string; users: number }[]) {
    const name = territoryOf(region);
    const before = counts.get(name);
    const count = `${region}=${users}`;
    counts.set(name, before === undefined ? count : `${before} ${count}`);
  }
  return counts;
}
