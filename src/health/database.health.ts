import { Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { DataSource } from 'typeorm';

const TIMEOUT_MS = 1_000;

/** Down when the database does not answer in time. */
@Injectable()
export class DatabaseIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly source: DataSource,
  ) {}

  async check() {
    const indicator = this.indicators.check('database');
    // The reason is not for everyone who can reach the service; the log has it.
    const failure = await failureWithin(TIMEOUT_MS, this.source.query('SELECT 1'));
    return failure === undefined ? indicator.up() : indicator.down(failure);
  }
}

async function failureWithin(
  timeoutMs: number,
  work: Promise<unknown>,
): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`does not answer within ${timeoutMs} ms`), timeoutMs);
  });
  const outcome = work.then(
    () => undefined,
    () => 'cannot be reached',
  );
  try {
    return await Promise.race([outcome, late]);
  } finally {
    clearTimeout(timer);
  }
}
