import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { checkPreconditions, hasPreconditions, type Preconditions } from '@tidemark/nestjs';
import { User } from './user.entity.js';
import { detailsOf } from './users.queries.js';
import { refusingTakenUsernames, userNotFound } from './users.errors.js';
import type { ChangeUserBody, CreateUserBody, UserDetails } from './users.schemas.js';

/** All changes of users. No code here invalidates cached answers: the cache follows the statements. */
@Injectable()
export class UsersService {
  constructor(@InjectRepository(User) private readonly users: Repository<User>) {}

  /** @throws ConflictException if the username is taken. */
  async create(fields: CreateUserBody): Promise<UserDetails> {
    const user = this.users.create(fields);
    await refusingTakenUsernames(this.users.insert(user));
    return { id: user.id, ...fields };
  }

  /**
   * Creates all users or none.
   * @throws ConflictException if a username is taken or occurs twice.
   */
  async createAll(users: readonly CreateUserBody[]): Promise<{ inserted: number }> {
    await refusingTakenUsernames(this.users.insert([...users]));
    return { inserted: users.length };
  }

  /**
   * Uses one UPDATE instead of a load and a save, so that a user deleted meanwhile stays deleted.
   * @throws NotFoundException if the user does not exist.
   * @throws ConflictException if the new username is taken.
   * @throws PreconditionFailedException
   */
  change(id: number, changes: ChangeUserBody, conditions: Preconditions): Promise<UserDetails> {
    return this.#writeIf(conditions, id, async (users) => {
      const update = users
        .createQueryBuilder()
        .update()
        .set(changes)
        .where('id = :id', { id })
        .returning(['id', 'username', 'region', 'email']);
      const result = await refusingTakenUsernames(update.execute());
      const [user] = result.raw as UserDetails[];
      if (!user) throw userNotFound(id);
      return user;
    });
  }

  /**
   * @throws NotFoundException if the user does not exist.
   * @throws PreconditionFailedException
   */
  remove(id: number, conditions: Preconditions): Promise<void> {
    return this.#writeIf(conditions, id, async (users) => {
      const { affected } = await users.delete({ id });
      if (!affected) throw userNotFound(id);
    });
  }

  /** Checks conditions against the row under a lock, which is held until the write has committed. */
  #writeIf<T>(
    conditions: Preconditions,
    id: number,
    write: (users: Repository<User>) => Promise<T>,
  ): Promise<T> {
    if (!hasPreconditions(conditions)) return write(this.users);
    return this.users.manager.transaction(async (manager) => {
      const users = manager.getRepository(User);
      const user = await users.findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
      checkPreconditions(conditions, user ? detailsOf(user) : undefined);
      return write(users);
    });
  }

  /** Moves every user of a region in one statement. */
  async moveRegion(from: string, to: string): Promise<{ moved: number }> {
    const { affected } = await this.users
      .createQueryBuilder()
      .update()
      .set({ region: to })
      .where('region = :from', { from })
      .execute();
    return { moved: affected ?? 0 };
  }
}
