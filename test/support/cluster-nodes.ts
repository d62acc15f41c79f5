/** One line of CLUSTER NODES: a node as another one, or the node itself, knows it. */
export interface ClusterNode {
  readonly id: string;
  readonly port: number;
  readonly isMyself: boolean;
  readonly isPrimary: boolean;
  /** Down, or perhaps down, or not met yet. */
  readonly isFailing: boolean;
  /** Of a replica. */
  readonly primaryId: string | undefined;
  /** First and last of each range. */
  readonly slots: readonly (readonly [number, number])[];
  readonly hasSlot: (slot: number) => boolean;
  /** The slots that the node itself moves away or receives, as in `[93->-<id>]` and `[77-<-<id>]`. */
  readonly openSlots: readonly string[];
}

/** Reads the reply of CLUSTER NODES. */
export function clusterNodesOf(text: string): readonly ClusterNode[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(nodeOf);
}

function nodeOf(line: string): ClusterNode {
  const [id = '', address = '', flagWords = '', primaryId = '', , , , , ...ranges] =
    line.split(' ');
  const flags = flagWords.split(',');
  const slots = ranges.filter((range) => !range.startsWith('[')).map(rangeOf);
  return {
    id,
    port: Number(/:(\d+)/.exec(address)?.[1]),
    isMyself: flags.includes('myself'),
    isPrimary: flags.includes('master'),
    isFailing: ['fail', 'fail?', 'handshake', 'noaddr'].some((flag) => flags.includes(flag)),
    primaryId: primaryId === '-' ? undefined : primaryId,
    slots,
    openSlots: ranges.filter((range) => range.startsWith('[')),
    hasSlot: (slot) => slots.some(([first, last]) => first <= slot && slot <= last),
  };
}

function rangeOf(text: string): readonly [number, number] {
  const [first = '', last = first] = text.split('-');
  return [Number(first), Number(last)];
}
