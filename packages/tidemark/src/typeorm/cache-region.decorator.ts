import 'reflect-metadata';

const REGION_COLUMNS = Symbol('tidemark:region-columns');

/**
 * Names the properties of an entity whose columns split its table into regions, beside the
 * primary key: `@CacheRegion<User>('region')`. A write then leaves answers of other regions alone.
 */
export function CacheRegion<Entity>(
  ...properties: readonly (keyof Entity & string)[]
): ClassDecorator {
  return (target) => {
    Reflect.defineMetadata(REGION_COLUMNS, properties, target);
  };
}

/** The properties named by {@link CacheRegion} on the class or an ancestor; none: empty. */
export function regionPropertiesOf(target: object): readonly string[] {
  return (Reflect.getMetadata(REGION_COLUMNS, target) as readonly string[] | undefined) ?? [];
}
