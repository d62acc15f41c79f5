import { Field, Int, ObjectType } from '@nestjs/graphql';
import { CacheRegion } from '@tidemark/nestjs';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

@ObjectType()
@Entity('users')
@CacheRegion<User>('region') // a write in EU leaves answers about US alone
export class User {
  @Field(() => Int)
  @PrimaryGeneratedColumn()
  id: number;

  @Field()
  @Column()
  username: string;

  @Field()
  @Column()
  region: string;
}
