import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { CacheIndicator } from './cache.health.js';
import { DatabaseProbe } from './database-probe.js';
import { DatabaseIndicator } from './database.health.js';
import { HealthController } from './health.controller.js';
import { OutboxIndicator } from './outbox.health.js';

@Module({
  imports: [TerminusModule],
  controllers: [HealthController],
  providers: [DatabaseProbe, DatabaseIndicator, CacheIndicator, OutboxIndicator],
})
export class HealthModule {}
