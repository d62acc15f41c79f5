/**
 * Which node is the primary of each slot, by the views of several nodes.
 *
 * The views may differ: a node that is cut off, or has not heard of a failover yet, names an earlier primary. So the
 * primary that most of the views name counts. Without a majority the slot has no primary.
 */
import { describeEndpoint, type NodeEndpoint } from '../connection/node-address.js';
import type { ClusterView } from './cluster-view.js';
import { SLOTS } from './slots.js';

const NONE = 0;

export class ClusterTopology {
  /** The primaries and their replicas in any view, with slots or without, by `host:port`. */
  readonly members: ReadonlyMap<string, NodeEndpoint>;
  /** The `host:port` of those that any view names as a primary without slots. */
  readonly spares: ReadonlySet<string>;
  /** The addresses that any view names as a primary with slots; 0 is for none. */
  readonly #primaries: string[] = [''];
  /** By slot: index of the primary. */
  readonly #owners: Uint16Array;

  constructor(views: readonly ClusterView[]) {
    const members = views.flatMap((view) => view.members);
    this.members = new Map(members.map((member) => [describeEndpoint(member), member]));
    this.spares = new Set(views.flatMap((view) => view.spares.map(describeEndpoint)));
    const columns = views.map((view) => this.#ownersIn(view));
    this.#owners = Uint16Array.from({ length: SLOTS }, (_, slot) => majority(columns, slot));
  }

  /** The addresses that any view names as a primary with slots. */
  get primaries(): readonly string[] {
    return this.#primaries.slice(1);
  }

  /** The `host:port` of the slot's primary. */
  ownerOf(slot: number): string | undefined {
    const index = this.#owners[slot] ?? NONE;
    return index === NONE ? undefined : this.#primaries[index];
  }

  /** The slots of a primary, or those without one, as in `0-5460, 9000`; empty if there are none. */
  slotsOf(primary: string | undefined): string {
    const index = primary === undefined ? NONE : this.#primaries.indexOf(primary);
    const ranges: string[] = [];
    for (let slot = 0; slot < SLOTS; slot += 1) {
      if (this.#owners[slot] !== index) continue;
      const first = slot;
      while (this.#owners[slot + 1] === index) slot += 1;
      ranges.push(first === slot ? String(slot) : `${first}-${slot}`);
    }
    return ranges.join(', ');
  }

  #ownersIn({ ranges }: ClusterView): Uint16Array {
    const owners = new Uint16Array(SLOTS);
    for (const { first, last, owner } of ranges) {
      owners.fill(this.#indexOf(describeEndpoint(owner)), first, last + 1);
    }
    return owners;
  }

  #indexOf(primary: string): number {
    const known = this.#primaries.indexOf(primary);
    return known === -1 ? this.#primaries.push(primary) - 1 : known;
  }
}

/** The value that more than half of the columns have. */
function majority(columns: readonly Uint16Array[], slot: number): number {
  for (const column of columns) {
    const index = column[slot] ?? NONE;
    let votes = 0;
    for (const other of columns) if (other[slot] === index) votes += 1;
    if (votes * 2 > columns.length) return index;
  }
  return NONE;
}
