import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { BoundsModule } from '../database/bounds.module.js';
import { Drain } from '../http/drain.js';
import { CacheIndicator } from './cache.health.js';
import { DatabaseProbe } from './database-probe.js';
import { DatabaseIndicator } from './database.health.js';
import { HealthController } from './health.controller.js';
import { OutboxIndicator } from './outbox.health.js';

@Module({
  imports: [TerminusModule, BoundsModule],
  controllers: [HealthController],
  providers: [Drain, DatabaseProbe, DatabaseIndicator, CacheIndicator, OutboxIndicator],
})
export class HealthModule {}
