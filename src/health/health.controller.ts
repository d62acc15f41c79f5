import { Controller, Get, Header, Res, ServiceUnavailableException } from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import { HealthCheckService } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import { HealthIndicators } from './health.indicators.js';

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicators,
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
    const { indicators } = this;
    try {
      return await this.health.check([
        () => indicators.service(),
        () => indicators.database(),
        () => indicators.cache(),
        () => indicators.outsideWrites(),
      ]);
    } catch (error) {
      // A failed health report is a report, not a problem document.
      if (!(error instanceof ServiceUnavailableException)) throw error;
      void reply.status(503);
      return error.getResponse() as object;
    }
  }
}
