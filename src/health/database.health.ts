import { Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { DatabaseProbe } from './database-probe.js';

/** Down when the database does not answer in time. */
@Injectable()
export class DatabaseIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly database: DatabaseProbe,
  ) {}

  async check() {
    const indicator = this.indicators.check('database');
    try {
      await this.database.ask();
      return indicator.up();
    } catch {
      // The reason is not for everyone who can reach the service; the log has it.
      return indicator.down('does not answer');
    }
  }
}
