import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Registry } from 'prom-client';

@ApiTags('metrics')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly registry: Registry) {}

  @Get()
  @ApiOperation({ summary: 'Measurements for Prometheus' })
  @ApiProduces('text/plain')
  @ApiOkResponse({ description: 'In the text format', schema: { type: 'string' } })
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.headers({
      'content-type': this.registry.contentType,
      'cache-control': 'no-store',
    });
    return this.registry.metrics();
  }
}
