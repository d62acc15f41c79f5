/** The Redis that the processes reach at the moment, and the copy from which another may be made. */
import { USERS } from '../actors/statements.js';
import type { Rules } from '../configuration.js';
import { DataSet } from './data-set.js';

export class Redis {
  present: DataSet;
  /** A snapshot on disk, or what a replica had received when its link broke. */
  #copy: DataSet | undefined;
  #server = 'A';
  /** How often a server became the primary. */
  #reigns = 1;
  #restarts = 0;

  constructor(private readonly identity: Rules['identity']) {
    this.present = new DataSet(this.#node());
    this.present.openWithEpoch(USERS, 'e0');
  }

  get hasCopy(): boolean {
    return this.#copy !== undefined;
  }

  takeCopy(): void {
    this.#copy = this.present.copyTo(this.#node());
  }

  restartEmpty(): void {
    this.#restart();
    this.present = new DataSet(this.#node());
  }

  restartFromCopy(): void {
    this.#restart();
    this.present = (this.#copy ?? this.present).copyTo(this.#node());
  }

  /** The replica becomes the primary with what it has; the old primary becomes its replica. */
  failOver(): void {
    this.#server = this.#server.startsWith('A') ? 'B' : 'A';
    this.#reigns += 1;
    this.present = (this.#copy ?? this.present).copyTo(this.#node());
    this.#copy = undefined;
  }

  describe(): string {
    return `${this.present.describe()}\ncopy ${this.#copy?.describe()}`;
  }

  #restart(): void {
    this.#restarts += 1;
    this.#server = `A${this.#restarts}`;
    this.#reigns += 1;
  }

  #node(): string {
    return this.identity(this.#server, this.#reigns);
  }
}
