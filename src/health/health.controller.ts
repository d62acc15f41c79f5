import { Controller, Get, Header, Res, ServiceUnavailableException } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import { HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import { Drain } from '../http/drain.js';
import { CacheIndicator } from './cache.health.js';
import { DatabaseIndicator } from './database.health.js';
import { OutboxIndicator } from './outbox.health.js';

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly drain: Drain,
    private readonly database: DatabaseIndicator,
    private readonly cache: CacheIndicator,
    private readonly outbox: OutboxIndicator,
  ) {}

  @Get('live')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Whether the process answers' })
  @ApiOkResponse({ description: 'It does' })
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @Header('cache-control', 'no-store')
  @ApiOperation({ summary: 'Whether the service can do its work, and how well' })
  @ApiOkResponse({ description: 'It can; `degraded` names what is not at its best, and why' })
  @ApiServiceUnavailableResponse({
    description: 'It cannot: it is stopping, or the database is down',
    content: {},
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    try {
      return await this.health.check([
        () => this.#service(),
        () => this.database.check(),
        () => this.cache.check(),
        () => this.outbox.check(),
      ]);
    } catch (error) {
      // The answer is the report as well when it says no; not a problem document.
      if (!(error instanceof ServiceUnavailableException)) throw error;
      void reply.status(503);
      return error.getResponse() as object;
    }
  }

  /** Down as soon as the service stops, so that new requests go to other instances. */
  #service() {
    const indicator = this.indicators.check('service');
    return this.drain.hasBegun ? indicator.down('is stopping') : indicator.up();
  }
}
