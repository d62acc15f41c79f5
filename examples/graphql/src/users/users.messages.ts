import { Controller, UseInterceptors } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { CacheInterceptor } from '@tidemark/nestjs';
import { usersInRegion } from './users.queries.js';

@Controller()
export class UsersMessages {
  @MessagePattern('users.in-region')
  @UseInterceptors(CacheInterceptor)
  list(@Payload() { region }: { region: string }) {
    return usersInRegion.bind({ region });
  }
}
