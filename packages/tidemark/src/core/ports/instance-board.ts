/**
 * The board on which the instances of a service put their reports, and the mode that they share. Nothing that is right
 * depends on it: a store may lose all of it, and anybody who can write to the store can put anything there.
 */
export abstract class InstanceBoard {
  /**
   * Puts the report of an instance there for `ttlMs`, in the place of its last one. Resolves to the shared mode. Where
   * there is none, it becomes `mode`, if that is given. Rejects as the store does, and if the report is too long.
   *
   * @param report JSON.
   * @param ttlMs at most an hour.
   */
  abstract publish(
    id: string,
    report: string,
    ttlMs: number,
    mode?: string,
  ): Promise<string | undefined>;

  /** The reports whose time is not over, at most 200. Removes the others. */
  abstract read(): Promise<readonly string[]>;

  /** The instance has ended. */
  abstract remove(id: string): Promise<void>;

  /** Sets the shared mode. It is kept for a day after the last publication of any instance. */
  abstract setMode(mode: string): Promise<void>;
}
