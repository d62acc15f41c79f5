import { CacheRegion } from '@tidemark/nestjs';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@Entity('users')
@CacheRegion<User>('region') // a write in EU leaves answers about US alone
export class User {
  @PrimaryGeneratedColumn()
  id: number;

  @Column()
  username: string;

  @Column()
  region: string;
}
