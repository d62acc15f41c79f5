/**
 * Makes entities of the rows of a query as TypeORM makes them, where that is simple: one entity, no joins,
 * nothing loaded beside it, nobody told of what was loaded. TypeORM finds out for each row what is the
 * same for all of them.
 *
 * Instances are created and values prepared by TypeORM itself. What it does besides is done here in the
 * same way: rows of one primary key are one entity, that of the first of them; a row without any value is
 * none.
 */
import type { DataSource, EntityMetadata, ObjectLiteral, SelectQueryBuilder } from 'typeorm';

type ColumnMetadata = EntityMetadata['columns'][number];
type Row = readonly unknown[];

/** @param fields names of the values of a row. */
export type Hydrate = (fields: readonly string[], rows: readonly Row[]) => ObjectLiteral[];

/** Types that TypeORM hands over as the driver has read them. */
const UNTOUCHED_TYPES: ReadonlySet<unknown> = new Set([
  String,
  'int',
  'int2',
  'int4',
  'int8',
  'integer',
  'smallint',
  'bigint',
  'varchar',
  'character varying',
  'text',
  'uuid',
  'bool',
  'boolean',
  'numeric',
  'decimal',
  'real',
  'double precision',
]);
/** Types of primary keys whose values are numbers or texts. */
const KEY_TYPES: ReadonlySet<unknown> = new Set([...UNTOUCHED_TYPES, Number]);

/** Without the constructor, unless the data source is set to call it. */
const FROM_ROWS = { fromDeserializer: true };

/** Metadata never changes once a data source is initialised. */
const SIMPLE = new WeakMap<EntityMetadata, boolean>();

/** `undefined` where TypeORM would do more than is done here. */
export function hydrationOf(
  { expressionMap: map }: SelectQueryBuilder<ObjectLiteral>,
  source: DataSource,
): Hydrate | undefined {
  const alias = map.mainAlias;
  if (!alias?.hasMetadata || !isSimple(alias.metadata)) return undefined;
  const isMore =
    map.joinAttributes.length > 0 ||
    map.relationIdAttributes.length > 0 ||
    map.relationLoadStrategy === 'query' ||
    map.options.length > 0 ||
    source.subscribers.some((subscriber) => 'afterLoad' in subscriber);
  if (isMore) return undefined;
  const { name, metadata } = alias;
  const nameOf = (column: ColumnMetadata): string => `${name}_${column.databaseName}`;
  const longest = source.driver.maxAliasLength ?? Infinity;
  if (metadata.columns.some((column) => nameOf(column).length > longest)) return undefined;
  const selections = new Set(map.selects.map(({ selection }) => selection));
  const selected = metadata.columns.filter(
    (column) =>
      !column.isVirtual &&
      (selections.has(name) || selections.has(`${name}.${column.propertyPath}`)),
  );
  return (fields, rows) => {
    const keysAt = placesOf(metadata.primaryColumns.map(nameOf), fields);
    const columns = selected
      .map((column) => placed(column, fields.lastIndexOf(nameOf(column))))
      .filter(({ at }) => at !== -1);
    const entities: ObjectLiteral[] = [];
    for (const row of distinct(rows, keysAt)) {
      const entity = metadata.create(undefined, FROM_ROWS) as ObjectLiteral;
      if (setValues(entity, row, columns, source)) entities.push(entity);
    }
    return entities;
  };
}

function isSimple(metadata: EntityMetadata): boolean {
  let simple = SIMPLE.get(metadata);
  if (simple === undefined) {
    simple =
      metadata.tableType === 'regular' &&
      metadata.discriminatorColumn === undefined &&
      metadata.childEntityMetadatas.length === 0 &&
      metadata.lazyRelations.length === 0 &&
      metadata.relationIds.length === 0 &&
      metadata.afterLoadListeners.length === 0 &&
      // A property may be a relation and a column of objects as well.
      metadata.relations.every(
        ({ inverseEntityMetadata }) => inverseEntityMetadata.afterLoadListeners.length === 0,
      ) &&
      metadata.primaryColumns.length > 0 &&
      metadata.primaryColumns.every(
        ({ type, isArray, isVirtual }) => !isVirtual && !isArray && KEY_TYPES.has(type),
      );
    SIMPLE.set(metadata, simple);
  }
  return simple;
}

interface PlacedColumn {
  readonly at: number;
  readonly column: ColumnMetadata;
  readonly propertyName: string;
  /** Its value goes into the property as it is. */
  readonly isPlain: boolean;
}

function placed(column: ColumnMetadata, at: number): PlacedColumn {
  const { propertyName, embeddedMetadata, transformer, type } = column;
  const isPlain =
    embeddedMetadata === undefined && transformer === undefined && UNTOUCHED_TYPES.has(type);
  return { at, column, propertyName, isPlain };
}

/** Answers whether there was any value. */
function setValues(
  entity: ObjectLiteral,
  row: Row,
  columns: readonly PlacedColumn[],
  { driver }: DataSource,
): boolean {
  let hasData = false;
  for (const { at, column, propertyName, isPlain } of columns) {
    const value = row[at];
    if (value !== null && !column.isVirtualProperty) hasData = true;
    if (isPlain) entity[propertyName] = value;
    else column.setEntityValue(entity, driver.prepareHydratedValue(value, column));
  }
  return hasData;
}

/** The first row of each primary key; all rows where no key is among their values. */
function distinct(rows: readonly Row[], keysAt: readonly number[]): readonly Row[] {
  const [at, ...more] = keysAt;
  if (at === undefined) return rows;
  const seen = new Set<unknown>();
  return rows.filter((row) => {
    const key = more.length === 0 ? keyPart(row[at]) : keysAt.map((i) => keyPart(row[i])).join('_');
    const known = seen.size;
    return seen.add(key).size > known;
  });
}

/** As TypeORM writes it: NULL, which a table without a real key may hold there, and '' are one key. */
function keyPart(value: unknown): unknown {
  if (value === null) return '';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'object' ? JSON.stringify(value) : value;
}

function placesOf(names: readonly string[], fields: readonly string[]): number[] {
  return names.map((name) => fields.lastIndexOf(name)).filter((at) => at !== -1);
}
