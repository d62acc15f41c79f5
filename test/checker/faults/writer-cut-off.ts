import { seconds, type Fault } from './fault.js';

/** It goes on writing under the policy `commit`, and then ends: no process is left that knows of these writes. */
export const writerCutOff: Fault = {
  kind: 'writer cut off from Redis, then killed',
  part: 'instance',
  isQuick: false,
  isAlone: true,
  bounds: ['unpublished'],
  run: async ({ system, random, hold }) => {
    const member = random.pick(system.members);
    const cutOffMs = random.integer(300, 2_500);
    member.routes.redis.refuse();
    try {
      await hold(cutOffMs);
      await member.kill();
    } finally {
      member.routes.redis.accept();
    }
    await member.start();
    return `instance ${member.index}, cut off for ${seconds(cutOffMs)}`;
  },
};
