import { Module } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/config.js';
import { DriverBounds } from './bounded-driver.js';

/** The bounds of the connections, for the data source and for the start that puts them into force. */
@Module({
  providers: [
    {
      provide: DriverBounds,
      inject: [CONFIG],
      useFactory: ({ databaseQueue }: Config) => new DriverBounds(databaseQueue),
    },
  ],
  exports: [DriverBounds],
})
export class BoundsModule {}
