import 'reflect-metadata';

const REGION_COLUMNS = Symbol('tidemark:region-columns');

/**
 * Names the properties of an entity whose columns divide its table into regions, beside the primary key:
 * `@CacheRegion<User>('region')`. A write then keeps answers about other regions valid.
 */
export function CacheRegion<Entity>(
  ...properties: readonly (keyof Entity & string)[]
): ClassDecorator {
  return (target) => {
    Reflect.defineMetadata(REGION_COLUMNS, properties, target);
  };
}

/** The properties that {@link CacheRegion} names on the class or an ancestor; empty without the decorator. */
export function regionPropertiesOf(target: object): readonly string[] {
  return (Reflect.getMetadata(REGION_COLUMNS, target) as readonly string[] | undefined) ?? [];
}
