/** Variants without the rules of epochs. */
import { parseEpoch } from '../../../../src/core/versions.js';
import type { TableReading, TableVersionNames } from '../../../../src/core/ports/version-store.js';
import { StoreVariant } from './store-variant.js';

/** `epoch-ignored`: an epoch counts on every server. */
export class EpochIgnored extends StoreVariant {
  override async read(tables: readonly TableVersionNames[]): Promise<readonly TableReading[]> {
    const readings = await this.store.read(tables);
    return readings.map(ignoringNode);
  }

  override async create(versions: TableVersionNames, token: string): Promise<TableReading> {
    return ignoringNode(await this.store.create(versions, token));
  }
}

function ignoringNode(reading: TableReading): TableReading {
  const { epoch } = reading;
  return epoch === undefined ? reading : { ...reading, node: parseEpoch(epoch).node };
}

/** `epoch-no-settle`: a new epoch counts at once. */
export class EpochNoSettle extends StoreVariant {
  override async rotate(
    table: string,
    observed: string | undefined,
    token: string,
  ): Promise<boolean> {
    const hasReplaced = await this.store.rotate(table, observed, token);
    const [reading] = await this.store.read([{ table, names: [] }]);
    if (hasReplaced && reading?.epoch) await this.store.settleEpoch(table, reading.epoch);
    return hasReplaced;
  }
}
