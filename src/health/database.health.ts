import { Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { DriverBounds } from '../database/bounded-driver.js';
import { DatabaseProbe } from './database-probe.js';

/** Down when the database does not answer in time; degraded while requests are refused for it. */
@Injectable()
export class DatabaseIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly database: DatabaseProbe,
    private readonly bounds: DriverBounds,
  ) {}

  async check() {
    const indicator = this.indicators.check('database');
    try {
      await this.database.ask();
      return this.bounds.isCrowded
        ? indicator.degraded(
            'Half or more of DATABASE_QUEUE wait for a connection: of many requests at once, most are refused',
          )
        : indicator.up();
    } catch {
      // The reason is not for everyone who can reach the service; the log has it.
      return indicator.down('does not answer');
    }
  }
}
