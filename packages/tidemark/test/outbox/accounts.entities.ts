import { Column, Entity, PrimaryColumn } from 'typeorm';
import { CacheRegion } from '../../src/index.js';

@Entity('accounts')
@CacheRegion<Account>('region')
export class Account {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'text' })
  region: string;

  @Column({ type: 'integer', nullable: true })
  parent: number | null;
}

@Entity('payments')
export class Payment {
  @PrimaryColumn({ type: 'integer' })
  id: number;

  @Column({ type: 'integer' })
  account: number;
}
