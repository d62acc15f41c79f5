/** What one node of a cluster knows about it, from its answers to CLUSTER SLOTS and CLUSTER NODES. */
import type { Redis } from 'ioredis';
import { describeEndpoint, type NodeEndpoint } from '../connection/node-address.js';

/** The address of a primary, for the slots from `first` to `last`. */
export interface OwnedRange {
  readonly first: number;
  readonly last: number;
  readonly owner: NodeEndpoint;
}

export interface ClusterView {
  readonly ranges: readonly OwnedRange[];
  /** All nodes that the answer names, replicas too. */
  readonly members: readonly NodeEndpoint[];
  /** The slots that the node is moving away, or receives. */
  readonly openSlots: ReadonlySet<number>;
  /** Equal for equal views. */
  readonly text: string;
}

/** The address at which this process reaches a node, by the one that the cluster gives, or a function. */
export type NatMap =
  Readonly<Record<string, NodeEndpoint>> | ((address: string) => NodeEndpoint | null | undefined);

/** Sends the questions at once, in one write. Rejects as the client does. */
export async function askForView(
  client: Redis,
  asked: NodeEndpoint,
  natMap?: NatMap,
): Promise<ClusterView> {
  const [, slots, nodes] = await Promise.all([
    // Checks the permission (epoch-deletion.ts): it concerns the next command alone, which has no key.
    client.asking(),
    client.cluster('SLOTS'),
    client.cluster('NODES'),
  ]);
  return viewOf(slots, String(nodes), asked, natMap);
}

/**
 * @param slots the answer to CLUSTER SLOTS: a range with its primary and its replicas in each element
 * @param nodes the answer to CLUSTER NODES
 * @param asked the address of the node that answered
 */
export function viewOf(
  slots: readonly unknown[],
  nodes: string,
  asked: NodeEndpoint,
  natMap?: NatMap,
): ClusterView {
  const ranges: OwnedRange[] = [];
  const members = new Map<string, NodeEndpoint>();
  for (const element of slots) {
    const [first, last, ...fields] = element as [number, number, ...unknown[]];
    const endpoints = fields.map((field) => endpointOf(field as NodeFields, asked, natMap));
    const [owner] = endpoints;
    if (owner) ranges.push({ first, last, owner });
    for (const member of endpoints) if (member) members.set(describeEndpoint(member), member);
  }
  const openSlots = openSlotsIn(nodes);
  const text = JSON.stringify([slots, [...openSlots]]);
  return { ranges, members: [...members.values()], openSlots, text };
}

export function mapped(endpoint: NodeEndpoint, natMap: NatMap | undefined): NodeEndpoint {
  if (!natMap) return endpoint;
  const address = `${endpoint.host}:${endpoint.port}`;
  return (typeof natMap === 'function' ? natMap(address) : natMap[address]) ?? endpoint;
}

type NodeFields = readonly [
  host: string | null,
  port: number,
  id?: string,
  others?: readonly string[],
];

/** `undefined`: the node has no known address. */
function endpointOf(
  [host, port, , others = []]: NodeFields,
  asked: NodeEndpoint,
  natMap: NatMap | undefined,
): NodeEndpoint | undefined {
  // Without a host the node is reached as the one that answered.
  if (host === null || host === '') return mapped({ host: asked.host, port }, natMap);
  // The name that the node was to announce is unknown.
  const known = host === '?' ? others[others.indexOf('ip') + 1] : host;
  return known === undefined || known === '' ? undefined : mapped({ host: known, port }, natMap);
}

/** Only the node's own line has them: `[93->-<id>]` is moved away, `[77-<-<id>]` is received. */
function openSlotsIn(nodes: string): ReadonlySet<number> {
  const own = nodes.split('\n').find((line) => /^\S+ \S+ \S*\bmyself\b/.test(line)) ?? '';
  return new Set(Array.from(own.matchAll(/\[(\d+)-[<>]-/g), ([, slot]) => Number(slot)));
}
