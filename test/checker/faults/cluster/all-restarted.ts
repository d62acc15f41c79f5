import { seconds, type Fault } from '../fault.js';
import { clusterOf } from './cluster-of.js';

export const clusterRestarted: Fault = {
  kind: 'all nodes of the cluster restarted',
  part: 'redis',
  on: ['cluster'],
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
  run: async (context) => {
    const { cluster } = clusterOf(context);
    const awayMs = context.random.integer(0, 1_500);
    const isSaved = context.random.chance(0.5);
    if (isSaved) for (const server of cluster.servers) await server.save();
    await Promise.all(cluster.servers.map((server) => server.kill()));
    await context.hold(awayMs);
    await Promise.all(cluster.servers.map((server) => server.restart({ empty: !isSaved })));
    await cluster.isWhole();
    return `back ${isSaved ? 'with their data' : 'empty'} after ${seconds(awayMs)}`;
  },
};
