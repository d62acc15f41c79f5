/** The Redis that the processes reach now, and the copy from which another may be made. */
import { USERS } from '../actors/statements.js';
import { DataSet } from './data-set.js';

export class Redis {
  present: DataSet;
  /** A snapshot on disk, or what a replica had received when its link broke. */
  #copy: DataSet | undefined;
  /** Its `run_id`: a process that starts gets another one, a change of role changes nothing. */
  #server = 'A';
  #replica = 'B';
  #restarts = 0;

  constructor() {
    this.present = new DataSet(this.#server);
    this.present.openWithEpoch(USERS, 'e0');
  }

  get hasCopy(): boolean {
    return this.#copy !== undefined;
  }

  takeCopy(): void {
    this.#copy = this.present.copyTo(this.#server);
  }

  restartEmpty(): void {
    this.#restart();
    this.present = new DataSet(this.#server);
  }

  restartFromCopy(): void {
    this.#restart();
    this.present = (this.#copy ?? this.present).copyTo(this.#server);
  }

  /** The replica becomes the primary with what it has; the old primary becomes its replica. */
  failOver(): void {
    [this.#server, this.#replica] = [this.#replica, this.#server];
    this.present = (this.#copy ?? this.present).copyTo(this.#server);
    this.#copy = undefined;
  }

  /** The result of an attempt on the present data, which it restores afterwards. */
  async tryOut<T>(attempt: () => Promise<T>): Promise<T> {
    const before = this.present;
    this.present = before.copyTo(this.#server);
    try {
      return await attempt();
    } finally {
      this.present = before;
    }
  }

  describe(): string {
    return `${this.present.describe()}\ncopy ${this.#copy?.describe()}`;
  }

  #restart(): void {
    this.#restarts += 1;
    this.#server = `A${this.#restarts}`;
  }
}
