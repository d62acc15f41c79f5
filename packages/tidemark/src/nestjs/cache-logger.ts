import { Logger } from '@nestjs/common';
import { DEFAULT_DATA_SOURCE } from '../typeorm/database/data-source-name.js';

/** The logger of a part of a data source's cache: its lines name a data source that is not the default one. */
export function cacheLogger(part: string, dataSource: string): Logger {
  return new Logger(dataSource === DEFAULT_DATA_SOURCE ? part : `${part} ${dataSource}`);
}
