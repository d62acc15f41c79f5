import { dimensionOf, unknownVersion } from '../core/version-name.js';
import type { ExpiredMark, MarksReport } from '../core/version-store.js';

const SETTLING = ' settling';
const NO_MARKS: ReadonlyMap<string, string> = new Map();

export interface MemoryVersion {
  readonly token: string;
  /** Write id -> token of the epoch under which the write began. */
  readonly marks: ReadonlyMap<string, string>;
}

export interface MemoryMark {
  readonly backendPid: number;
  readonly deadlineMs: number;
  readonly transactionId: string | undefined;
  readonly names: readonly string[];
}

/** The data of one table in this process. Decides as the scripts do (scripts/). */
export class MemoryTable {
  epoch: string | undefined;
  /** Longest unused first. */
  protected readonly versions = new Map<string, MemoryVersion>();
  protected readonly marks = new Map<string, MemoryMark>();
  protected readonly dimensions = new Set<string>();

  constructor(private readonly maxVersions: number) {}

  versionText(name: string): string | undefined {
    const version = this.versions.get(name);
    if (!version) return undefined;
    this.#put(name, version);
    if (version.marks.size === 0) return version.token;
    return [version.token, ...version.marks.keys()].join('!');
  }

  create(names: readonly string[], token: string): void {
    for (const name of names) {
      const dimension = dimensionOf(name);
      if (!this.#mayCreate(dimension)) continue;
      if (!this.versions.has(name)) this.#put(name, { token, marks: this.#marksOn(name) });
      if (dimension !== undefined) this.dimensions.add(dimension);
    }
    this.#dropUnused(new Set(names));
  }

  drop(names: readonly string[], token: string): void {
    for (const name of names) {
      const version = this.versions.get(name);
      if (version?.token === token && version.marks.size === 0) this.versions.delete(name);
    }
  }

  /** A write under way knows only the dimensions that were registered before it. */
  #mayCreate(dimension: string | undefined): boolean {
    return dimension === undefined || this.marks.size === 0 || this.dimensions.has(dimension);
  }

  begin(
    writeId: string,
    backendPid: number,
    names: readonly string[],
    token: string,
    deadlineMs: number,
  ): void {
    if (this.epoch === undefined) return;
    const covered = this.#cover([...(this.marks.get(writeId)?.names ?? []), ...names]);
    this.marks.set(writeId, { backendPid, deadlineMs, transactionId: undefined, names: covered });
    for (const name of covered) {
      const marks = new Map(this.#marksOn(name));
      marks.delete(writeId);
      this.#put(name, { token, marks: marks.set(writeId, this.#epochToken()) });
    }
    this.#dropUnused(new Set(covered));
  }

  /** The versions get `token`, or keep theirs without one. Answers whether there was a mark. */
  takeOff(writeId: string, token: string | undefined): boolean {
    const mark = this.marks.get(writeId);
    if (!mark) return false;
    for (const name of mark.names) {
      const version = this.versions.get(name);
      const next = token ?? version?.token;
      if (next === undefined) continue;
      const marks = new Map(this.#marksOn(name));
      marks.delete(writeId);
      this.#put(name, { token: next, marks });
    }
    return this.marks.delete(writeId);
  }

  hasExpired(writeId: string, nowMs: number): boolean {
    const mark = this.marks.get(writeId);
    return mark !== undefined && mark.deadlineMs <= nowMs;
  }

  renew(writeId: string, transactionId: string, deadlineMs: number): void {
    const mark = this.marks.get(writeId);
    if (mark) this.marks.set(writeId, { ...mark, transactionId, deadlineMs });
  }

  /** Versions lose what has no mark any more; a lost mark of the present epoch replaces that. */
  repair(names: readonly string[], token: string, node: string): void {
    const presentEpoch = this.#epochToken();
    let hasLostData = false;
    for (const name of names) {
      const version = this.versions.get(name);
      if (!version) continue;
      const lost = [...version.marks].filter(([writeId]) => !this.marks.has(writeId));
      if (lost.length === 0) continue;
      const marks = new Map(version.marks);
      for (const [writeId] of lost) marks.delete(writeId);
      this.#put(name, { token, marks });
      hasLostData ||= lost.some(([, epoch]) => epoch === presentEpoch);
    }
    if (hasLostData) this.epoch = `${token} ${node}${SETTLING}`;
  }

  report(nowMs: number): MarksReport {
    const expired: ExpiredMark[] = [];
    let nextExpiryMs: number | undefined;
    for (const [writeId, { backendPid, deadlineMs, transactionId }] of this.marks) {
      const leftMs = deadlineMs - nowMs;
      if (leftMs <= 0) expired.push({ writeId, backendPid, seenTransactionId: transactionId });
      else nextExpiryMs = Math.min(leftMs, nextExpiryMs ?? leftMs);
    }
    return { expired, nextExpiryMs };
  }

  rotate(observed: string | undefined, token: string, node: string): boolean {
    if (this.epoch !== observed) return false;
    this.epoch = `${token} ${node}${SETTLING}`;
    this.marks.clear();
    return true;
  }

  settleEpoch(observed: string): boolean {
    if (this.epoch !== observed || !observed.endsWith(SETTLING)) return false;
    this.epoch = observed.slice(0, -SETTLING.length);
    return true;
  }

  /** The names and `d?` of every registered dimension they leave out; registers their own. */
  #cover(names: readonly string[]): readonly string[] {
    const covered = new Set(names);
    const dimensions = new Set(names.map(dimensionOf));
    for (const dimension of this.dimensions) {
      if (!dimensions.has(dimension)) covered.add(unknownVersion(decodeURIComponent(dimension)));
    }
    for (const dimension of dimensions) {
      if (dimension !== undefined) this.dimensions.add(dimension);
    }
    return [...covered];
  }

  /** The marks on a version; where that was lost, those that say themselves that they lie on it. */
  #marksOn(name: string): ReadonlyMap<string, string> {
    const version = this.versions.get(name);
    if (version) return version.marks;
    const lying = [...this.marks].filter(([, { names }]) => names.includes(name));
    if (lying.length === 0) return NO_MARKS;
    return new Map(lying.map(([writeId]) => [writeId, this.#epochToken()]));
  }

  #epochToken(): string {
    return this.epoch?.split(' ', 1)[0] ?? '';
  }

  #put(name: string, version: MemoryVersion): void {
    this.versions.delete(name);
    this.versions.set(name, version);
  }

  /**
   * A dropped version is created anew when it is wanted and can match nothing stored. Those that a
   * write is marked on stay, and those that the present step has to answer.
   */
  #dropUnused(needed: ReadonlySet<string>): void {
    for (const [name, version] of this.versions) {
      if (this.versions.size <= this.maxVersions) return;
      if (version.marks.size === 0 && !needed.has(name)) this.versions.delete(name);
    }
  }
}
