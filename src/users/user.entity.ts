import { Column, Entity, Index, PrimaryGeneratedColumn, Unique } from 'typeorm';
import { CacheRegion } from '@tidemark/nestjs';

/** Name of the unique constraint on usernames, as in errors of the database. */
export const USERNAME_CONSTRAINT = 'users_username_key';

/** A user of the service. A write in one region keeps cached answers about other regions valid. */
@Entity('users')
@CacheRegion<User>('region')
@Unique(USERNAME_CONSTRAINT, ['username'])
@Index('users_region_id_idx', ['region', 'id'])
export class User {
  @PrimaryGeneratedColumn('identity', { type: 'integer' })
  id: number;

  @Column({ type: 'varchar', length: 80 })
  username: string;

  @Column({ type: 'varchar', length: 10 })
  region: string;

  @Column({ type: 'varchar', length: 120 })
  email: string;
}
