import { Injectable, Logger } from '@nestjs/common';
import { QueryCache } from '@tidemark/nestjs';
import { DataSource } from 'typeorm';
import { User } from './user.entity.js';
import { usersInRegion } from './users.queries.js';

@Injectable()
export class ReportService {
  constructor(
    private readonly cache: QueryCache,
    private readonly source: DataSource,
  ) {}

  async names(region: string): Promise<string[]> {
    const users = await this.cache.run(usersInRegion.bind({ region }));
    return users.map(({ username }) => username);
  }

  recent(): Promise<User[]> {
    return this.cache.find(User, { order: { id: 'DESC' }, take: 10 });
  }

  async move(from: string, to: string): Promise<void> {
    await this.source.transaction(async (manager) => {
      await manager.update(User, { region: from }, { region: to });
      await manager.query('INSERT INTO moves VALUES ($1, $2)', [from, to]);
    });
  }

  explain(region: string): void {
    const explanation = this.cache.explain(usersInRegion.bind({ region }));
    if (explanation.cacheable) {
      for (const { table, isWhole, reason } of explanation.dependencies) {
        Logger.log(`${table}: ${isWhole ? 'whole' : 'restricted'}, ${reason}`);
      }
    } else Logger.log(`${explanation.detail}. ${explanation.remedy}`);
  }
}
