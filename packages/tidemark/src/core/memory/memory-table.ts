import { dimensionOf, SETTLING, unknownVersion } from '../versions.js';
import type { ExpiredMark, MarksReport, StandingMark } from '../ports/version-store.js';

const NO_MARKS: ReadonlySet<string> = new Set();

export interface MemoryVersion {
  readonly token: string;
  /** Ids of the writes marked on the version. */
  readonly marks: ReadonlySet<string>;
}

export interface MemoryMark {
  readonly backendPid: number;
  readonly deadlineMs: number;
  readonly transactionId: string | undefined;
  readonly names: readonly string[];
}

/** The data of one table in this process. Makes the same decisions as the Lua scripts (redis/scripts/). */
export class MemoryTable {
  epoch: string | undefined;
  /** Least recently used first. */
  protected readonly versions = new Map<string, MemoryVersion>();
  protected readonly marks = new Map<string, MemoryMark>();
  protected readonly dimensions = new Set<string>();

  constructor(private readonly maxVersions: number) {}

  versionText(name: string): string | undefined {
    const version = this.versions.get(name);
    if (!version || this.epoch === undefined) return undefined;
    this.#put(name, version);
    return [version.token, ...version.marks].join('!');
  }

  create(names: readonly string[], token: string): void {
    if (!this.open()) return;
    for (const name of names) {
      const dimension = dimensionOf(name);
      if (dimension !== undefined) {
        // An open write knows only the dimensions that were registered before it.
        if (this.marks.size > 0 && !this.dimensions.has(dimension)) continue;
        this.dimensions.add(dimension);
      }
      if (!this.versions.has(name)) this.#put(name, { token, marks: this.#marksOn(name) });
    }
    this.#dropUnused(new Set(names));
  }

  drop(names: readonly string[], token: string): void {
    for (const name of names) {
      const version = this.versions.get(name);
      if (version?.token === token && version.marks.size === 0) this.versions.delete(name);
    }
  }

  begin(
    writeId: string,
    backendPid: number,
    names: readonly string[],
    token: string,
    deadlineMs: number,
  ): void {
    if (!this.open()) return;
    const covered = this.#cover([...(this.marks.get(writeId)?.names ?? []), ...names]);
    this.marks.set(writeId, { backendPid, deadlineMs, transactionId: undefined, names: covered });
    for (const name of covered) {
      const version = this.versions.get(name);
      if (version) this.#put(name, { token, marks: without(version, writeId).add(writeId) });
    }
  }

  /** Existing versions get `token`, or keep theirs if it is undefined. Returns whether there was a mark. */
  takeOff(writeId: string, token: string | undefined): boolean {
    const mark = this.open() ? this.marks.get(writeId) : undefined;
    if (!mark) return false;
    for (const name of mark.names) {
      const version = this.versions.get(name);
      if (!version) continue;
      this.#put(name, { token: token ?? version.token, marks: without(version, writeId) });
    }
    return this.marks.delete(writeId);
  }

  hasExpired(writeId: string, nowMs: number): boolean {
    const mark = this.marks.get(writeId);
    return mark !== undefined && mark.deadlineMs <= nowMs;
  }

  renew(writeId: string, transactionId: string, leaseMs: number, nowMs: number): void {
    const mark = this.open() ? this.marks.get(writeId) : undefined;
    if (!mark || mark.deadlineMs > nowMs) return;
    this.marks.set(writeId, { ...mark, transactionId, deadlineMs: nowMs + leaseMs });
  }

  inspect(names: readonly string[], nowMs: number): MarksReport {
    const expired: ExpiredMark[] = [];
    let nextExpiryMs: number | undefined;
    if (this.open() && this.#hasLostMarks(names)) this.epoch = undefined;
    if (this.epoch === undefined) return { expired, nextExpiryMs };
    for (const [writeId, { backendPid, deadlineMs, transactionId }] of this.marks) {
      const leftMs = deadlineMs - nowMs;
      if (leftMs <= 0) expired.push({ writeId, backendPid, seenTransactionId: transactionId });
      else nextExpiryMs = Math.min(leftMs, nextExpiryMs ?? leftMs);
    }
    return { expired, nextExpiryMs };
  }

  standingMarks(nowMs: number): readonly StandingMark[] {
    return Array.from(this.marks, ([writeId, { backendPid, deadlineMs }]) => ({
      writeId,
      backendPid,
      leaseLeftMs: deadlineMs - nowMs,
    }));
  }

  rotate(observed: string | undefined, token: string, node: string): boolean {
    if (this.epoch !== observed) return false;
    this.epoch = `${token} ${node}${SETTLING}`;
    this.marks.clear();
    this.versions.clear();
    this.dimensions.clear();
    return true;
  }

  settleEpoch(observed: string): boolean {
    if (this.epoch !== observed || !observed.endsWith(SETTLING)) return false;
    this.epoch = observed.slice(0, -SETTLING.length);
    return true;
  }

  /** Whether the table has an epoch. A store that can lose marks drops the epoch with them. */
  protected open(): boolean {
    return this.epoch !== undefined;
  }

  #hasLostMarks(names: readonly string[]): boolean {
    return names.some((name) =>
      [...(this.versions.get(name)?.marks ?? [])].some((writeId) => !this.marks.has(writeId)),
    );
  }

  /** The names, and `d?` of every registered dimension that they omit; registers their own dimensions. */
  #cover(names: readonly string[]): readonly string[] {
    const own = new Set(names.map(dimensionOf).filter((dimension) => dimension !== undefined));
    const others = [...this.dimensions].filter((dimension) => !own.has(dimension));
    for (const dimension of own) this.dimensions.add(dimension);
    const unknown = others.map((dimension) => unknownVersion(decodeURIComponent(dimension)));
    return [...new Set([...names, ...unknown])];
  }

  /** The marks on a missing version: those that name it. */
  #marksOn(name: string): ReadonlySet<string> {
    const lying = [...this.marks].filter(([, { names }]) => names.includes(name));
    return lying.length === 0 ? NO_MARKS : new Set(lying.map(([writeId]) => writeId));
  }

  #put(name: string, version: MemoryVersion): void {
    this.versions.delete(name);
    this.versions.set(name, version);
  }

  /** A dropped version matches nothing stored. Marked versions stay, and so do those that this step must answer. */
  #dropUnused(needed: ReadonlySet<string>): void {
    for (const [name, version] of this.versions) {
      if (this.versions.size <= this.maxVersions) return;
      if (version.marks.size === 0 && !needed.has(name)) this.versions.delete(name);
    }
  }
}

function without({ marks }: MemoryVersion, writeId: string): Set<string> {
  const others = new Set(marks);
  others.delete(writeId);
  return others;
}
