import type { DataSource, EntityMetadata } from 'typeorm';
import { sourceOf } from './entity-fingerprint.js';
import { hasPrivateNames } from './private-names.js';
import { isLazy } from './separate-reads.js';

type Constructor = new (...args: never[]) => object;

/**
 * The classes whose instances TypeORM makes from rows: entities and embedded classes, by name.
 * Left out are entities with lazy relations, since what loads these is no value, and classes with
 * private names: what stands under these is found and restored by nobody but the class.
 */
export function entityClassesOf(source: DataSource): ReadonlyMap<string, Constructor> {
  const classes = new Map<string, Constructor>();
  for (const metadata of source.entityMetadatas) {
    if (isLazy(metadata)) continue;
    for (const target of classesOf(metadata)) {
      // Two classes of one name are told apart by the table they belong to.
      const isTaken = classes.has(target.name) && classes.get(target.name) !== target;
      classes.set(isTaken ? `${metadata.tablePath}/${target.name}` : target.name, target);
    }
  }
  return classes;
}

function classesOf(metadata: EntityMetadata): readonly Constructor[] {
  const targets: unknown[] = [metadata.target, ...metadata.allEmbeddeds.map(({ type }) => type)];
  return targets
    .filter((target): target is Constructor => typeof target === 'function')
    .filter((target) => !hasPrivateNames(sourceOf(target)));
}
