/** The Redis that the processes reach now for one bucket, and the copy from which another may be made. */
import { USERS } from '../actors/statements.js';
import { tablesIn } from './buckets.js';
import { DataSet } from './data-set.js';

export class Redis {
  present: DataSet;
  /** A snapshot on disk, or what a replica had received when its link broke. */
  #copy: DataSet | undefined;
  /** Its `run_id`: a process that starts gets another one, a change of role changes nothing. */
  #server: string;
  #replica: string;
  #restarts = 0;

  constructor(
    readonly bucket: number,
    private readonly buckets: number,
  ) {
    this.#server = `A${bucket}`;
    this.#replica = `B${bucket}`;
    this.present = this.#emptyDataSet();
    const tables = this.#isOne ? [USERS] : tablesIn(bucket, buckets);
    for (const table of tables) this.present.openWithEpoch(table, 'e0');
  }

  /** For traces. */
  get name(): string {
    return this.#isOne ? 'Redis' : `Redis ${this.bucket}`;
  }

  get hasCopy(): boolean {
    return this.#copy !== undefined;
  }

  takeCopy(): void {
    this.#copy = this.present.copyTo(this.#server);
  }

  restartEmpty(): void {
    this.#restart();
    this.present = this.#emptyDataSet();
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

  get #isOne(): boolean {
    return this.buckets === 1;
  }

  #emptyDataSet(): DataSet {
    return new DataSet(this.#server, this.#isOne ? 'fixed' : 'kept');
  }

  #restart(): void {
    this.#restarts += 1;
    this.#server = `A${this.bucket}.${this.#restarts}`;
  }
}
