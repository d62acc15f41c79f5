import { Body, Controller, Get, HttpCode, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiBadRequestResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CacheQuery } from '@tidemark/nestjs';
import { sameRegion } from './users.errors.js';
import { regionCounts } from './users.queries.js';
import {
  moveRegionBody,
  movedUsers,
  noQuery,
  regionCount,
  regionPath,
  type MoveRegionBody,
  type RegionPath,
} from './users.schemas.js';
import { UsersService } from './users.service.js';

@ApiTags('regions')
@Controller('regions')
export class RegionsController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @CacheQuery()
  @ApiOperation({ summary: 'Count the users of each region' })
  @ApiOkResponse({ description: 'The regions by name', standardSchema: z.array(regionCount) })
  list(@Query({ schema: noQuery }) _: object) {
    return regionCounts.bind({});
  }

  @Post(':region/move')
  @HttpCode(HttpStatus.OK)
  @ApiOperation({ summary: 'Move every user of a region to another' })
  @ApiOkResponse({ description: 'How many were moved', standardSchema: movedUsers })
  @ApiBadRequestResponse({ description: 'A field is not as described, or both regions are one' })
  move(
    @Param({ schema: regionPath }) { region }: RegionPath,
    @Body({ schema: moveRegionBody }) { to }: MoveRegionBody,
    @Query({ schema: noQuery }) _: object,
  ) {
    if (to === region) throw sameRegion();
    return this.users.moveRegion(region, to);
  }
}
