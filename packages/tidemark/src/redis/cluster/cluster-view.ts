/** What one node of a cluster knows about it, from its answers to CLUSTER SLOTS and CLUSTER NODES. */
import type { Redis } from 'ioredis';
import { describeEndpoint, type NodeEndpoint } from '../connection/node-address.js';

/** The address of a primary, for the slots from `first` to `last`. */
interface OwnedRange {
  readonly first: number;
  readonly last: number;
  readonly owner: NodeEndpoint;
}

export interface ClusterView {
  readonly ranges: readonly OwnedRange[];
  /** The primaries without slots: one of them may receive its first slot. */
  readonly spares: readonly NodeEndpoint[];
  /** All nodes with slots, their replicas, and the spares. */
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
  const spares = sparesIn(nodes, slots).flatMap(
    (fields) => endpointOf(fields, asked, natMap) ?? [],
  );
  for (const spare of spares) members.set(describeEndpoint(spare), spare);
  const openSlots = openSlotsIn(nodes);
  const text = JSON.stringify([slots, spares, [...openSlots]]);
  return { ranges, spares, members: [...members.values()], openSlots, text };
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
  // `?`: the node announces a name, and has none.
  const known = host === '?' ? others[others.indexOf('ip') + 1] : host;
  return known === undefined || known === '' ? undefined : mapped({ host: known, port }, natMap);
}

/** Primaries in CLUSTER NODES that have no slots and are not known to be away, named as CLUSTER SLOTS names the others. */
function sparesIn(nodes: string, slots: readonly unknown[]): readonly NodeFields[] {
  const hosts = slots.flatMap((element) =>
    (element as [number, number, ...NodeFields[]])
      .slice(2)
      .map((field) => (field as NodeFields)[0]),
  );
  const lines = nodes.split('\n').flatMap((line) => nodeLine(line) ?? []);
  const isUnnamed = hosts.length > 0 && hosts.every((host) => host === null);
  const isByName = lines.some(({ name }) => name !== '' && hosts.includes(name));
  return lines
    .filter(({ flags, hasSlots }) => flags.includes('master') && !hasSlots)
    .filter(({ flags }) => !AWAY.some((flag) => flags.includes(flag)))
    .map(({ ip, port, name }) => {
      if (isUnnamed) return [null, port];
      return isByName ? [name || '?', port, '', ['ip', ip]] : [ip, port];
    });
}

/** Flags of nodes that cannot be reached, or are not known well enough yet. */
const AWAY = ['fail', 'noaddr', 'handshake'];

/** A line such as `<id> <ip>:<port>@<bus port>,<name> <flags> <5 fields> 0-99 [93->-<id>]`. */
function nodeLine(line: string) {
  const [, address = '', flags = '', , , , , , ...slots] = line.split(' ');
  const [, ip = '', port = '', name = ''] = /^(.*):(\d+)@\d+(?:,([^,]*))?/.exec(address) ?? [];
  if (port === '') return undefined;
  const hasSlots = slots.some((slot) => !slot.startsWith('['));
  return { ip, port: Number(port), name, flags: flags.split(','), hasSlots };
}

/** Only the node's own line has them: `[93->-<id>]` is moved away, `[77-<-<id>]` is received. */
function openSlotsIn(nodes: string): ReadonlySet<number> {
  const own = nodes.split('\n').find((line) => /^\S+ \S+ \S*\bmyself\b/.test(line)) ?? '';
  return new Set(Array.from(own.matchAll(/\[(\d+)-[<>]-/g), ([, slot]) => Number(slot)));
}
