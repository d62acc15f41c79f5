/** The content of one cell of the table. */
export interface Verdict {
  /**
   * `by hand`: stale unless the programmer names every affected answer after the write. `none`: the
   * row does not apply to the system. `failed`: it could not be found out.
   */
  readonly state: 'stale' | 'fresh' | 'by hand' | 'none' | 'failed';
  readonly how: string;
}

export const stale = (how: string): Verdict => ({ state: 'stale', how });
export const fresh = (how: string): Verdict => ({ state: 'fresh', how });
export const byHand = (how: string): Verdict => ({ state: 'by hand', how });
export const notApplicable = (how: string): Verdict => ({ state: 'none', how });

export const failed = (how: string): Verdict => ({ state: 'failed', how });

/** The verdict with something more to say. */
export const also = ({ state, how }: Verdict, more: string | undefined): Verdict => ({
  state,
  how: more === undefined ? how : `${how}; ${more}`,
});
