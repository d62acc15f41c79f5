/** As with TypeORM's `cache`: each place that writes names the results. */
import type { DataSource } from 'typeorm';
import { User } from './user.entity.js';

export function cachedByTime(source: DataSource) {
  return {
    list: (region: string): Promise<User[]> =>
      source.getRepository(User).find({
        where: { region },
        cache: { id: `users:${region}`, milliseconds: 60_000 },
      }),

    rename: async (user: User, username: string): Promise<void> => {
      await source.getRepository(User).save({ ...user, username });
      await source.queryResultCache?.remove([`users:${user.region}`]);
    },
  };
}
