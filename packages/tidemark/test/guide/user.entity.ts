import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { CacheRegion } from '@tidemark/nestjs';

@Entity('users')
@CacheRegion<User>('region')
export class User {
  @PrimaryGeneratedColumn()
  id: number;

  @Column({ type: 'text' })
  username: string;

  @Column({ type: 'text' })
  region: string;
}
