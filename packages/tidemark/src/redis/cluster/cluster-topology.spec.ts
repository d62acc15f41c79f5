import { describe, expect, it } from 'vitest';
import { ClusterTopology } from './cluster-topology.js';
import { viewOf, type NatMap } from './cluster-view.js';

const ASKED = { host: '10.0.0.9', port: 7009 };
const LAST = 16_383;

const view = (slots: readonly unknown[], nodes = '', natMap?: NatMap) =>
  viewOf(slots, nodes, ASKED, natMap);

/** A range of slots with its primary, as in the answer to CLUSTER SLOTS. */
const range = (first: number, last: number, host: string | null, ...others: readonly string[]) => [
  first,
  last,
  [host, 7000, 'id', others],
];

describe('the view of a node', () => {
  it.each([
    ['its address', '10.0.0.1', [], '10.0.0.1'],
    ['its name', 'node-1.example', [], 'node-1.example'],
    ['no host: that of the node that answered', null, [], '10.0.0.9'],
    ['an empty host: that of the node that answered', '', [], '10.0.0.9'],
    ['an unknown name, and an address', '?', ['ip', '10.0.0.2'], '10.0.0.2'],
  ])('has each primary by %s', (_, host, others, expected) => {
    const { ranges } = view([range(0, LAST, host, ...others)]);
    expect(ranges).toEqual([{ first: 0, last: LAST, owner: { host: expected, port: 7000 } }]);
  });

  it('has no primary without an address', () => {
    expect(view([range(0, LAST, '?')]).ranges).toEqual([]);
  });

  it.each<[string, NatMap]>([
    ['a map', { '10.0.0.1:7000': { host: 'localhost', port: 1 } }],
    [
      'a function',
      (address) => (address === '10.0.0.1:7000' ? { host: 'localhost', port: 1 } : null),
    ],
  ])('has the addresses of %s, and those that it omits', (_, natMap) => {
    const { ranges } = view([range(0, 1, '10.0.0.1'), range(2, 3, '10.0.0.2')], '', natMap);
    expect(ranges.map(({ owner }) => owner)).toEqual([
      { host: 'localhost', port: 1 },
      { host: '10.0.0.2', port: 7000 },
    ]);
  });

  it('has replicas among the members', () => {
    const { members } = view([[0, LAST, ['10.0.0.1', 7000, 'a'], ['10.0.0.2', 7001, 'b']]]);
    expect(members).toEqual([
      { host: '10.0.0.1', port: 7000 },
      { host: '10.0.0.2', port: 7001 },
    ]);
  });

  it('has the slots that the node itself moves or receives', () => {
    const { openSlots } = view(
      [],
      [
        'b 10.0.0.2:7000@17000 master - 0 0 2 connected 100-200 [150->-c]',
        'a 10.0.0.1:7000@17000,name myself,master - 0 0 1 connected 0-99 [93->-b] [177-<-c]',
        '',
      ].join('\n'),
    );
    expect([...openSlots]).toEqual([93, 177]);
  });
});

describe('the primaries without slots', () => {
  const nodes = [
    'a 10.0.0.9:7000@17000,node-a,shard-id=x myself,master - 0 0 1 connected 0-16383',
    'b 10.0.0.2:7000@17000,node-b,shard-id=y master - 0 0 2 connected',
    'c 2001:db8::3:7000@17000 master,fail? - 0 0 3 connected [93-<-a]',
    'd 10.0.0.4:7000@17000 slave a 0 0 1 connected',
    ...['master,fail', 'handshake', 'master,noaddr', 'noflags'].map(
      (flags) => `e 10.0.0.5:7000@17000 ${flags} - 0 0 0 connected`,
    ),
    '',
  ].join('\n');
  const at = (host: string) => ({ host, port: 7000 });

  it.each([
    ['its address', '10.0.0.9', [at('10.0.0.2'), at('2001:db8::3')]],
    ['its name, and by its address without one', 'node-a', [at('node-b'), at('2001:db8::3')]],
    ['the host that was asked', null, [at('10.0.0.9'), at('10.0.0.9')]],
  ])('are named as the others: each by %s', (_, host, expected) => {
    const { spares, members } = view([range(0, LAST, host)], nodes);
    expect(spares).toEqual(expected);
    expect(members).toEqual(expect.arrayContaining(expected));
  });

  it('have the addresses of a map', () => {
    const natMap = { '10.0.0.2:7000': { host: 'localhost', port: 1 } };
    const { spares } = view([range(0, LAST, '10.0.0.9')], nodes, natMap);
    expect(spares).toEqual([{ host: 'localhost', port: 1 }, at('2001:db8::3')]);
  });

  it('do not vote for themselves: they have no slots in the topology', () => {
    const topology = new ClusterTopology([view([range(0, LAST, '10.0.0.9')], nodes)]);
    expect([...topology.spares]).toEqual(['10.0.0.2:7000', '[2001:db8::3]:7000']);
    expect(topology.primaries).toEqual(['10.0.0.9:7000']);
  });
});

describe('the topology', () => {
  const A = '10.0.0.1:7000';
  const B = '10.0.0.2:7000';
  const names = (host: string) => view([range(0, 99, host), range(100, LAST, '10.0.0.2')]);
  const [saysA, saysB] = [names('10.0.0.1'), names('10.0.0.2')];

  it.each([
    ['one view', [saysA], A],
    ['all views', [saysA, saysA], A],
    ['most views', [saysB, saysA, saysB], B],
    ['as many views as another one', [saysA, saysB], undefined],
    ['no view', [view([])], undefined],
    ['fewer views than name none', [saysA, view([]), view([])], undefined],
  ])('has the primary that %s name', (_, views, owner) => {
    expect(new ClusterTopology(views).ownerOf(0)).toBe(owner);
  });

  it('knows each node that any view names as a primary', () => {
    const { primaries, members } = new ClusterTopology([saysB, saysA, saysB]);
    expect([...primaries].toSorted()).toEqual([A, B]);
    expect(members.get(A)).toEqual({ host: '10.0.0.1', port: 7000 });
  });

  it('tells the slots of a node, and those without a primary', () => {
    const topology = new ClusterTopology([
      view([range(0, 99, '10.0.0.1'), range(150, 150, '10.0.0.1'), range(200, LAST, '10.0.0.2')]),
    ]);
    expect(topology.slotsOf(A)).toBe('0-99, 150');
    expect(topology.slotsOf(undefined)).toBe('100-149, 151-199');
    expect(topology.slotsOf('10.0.0.3:7000')).toBe('');
  });
});
