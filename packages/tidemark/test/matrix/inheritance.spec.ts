/** Write paths 27 to 29, second part: trees, and entities that inherit from one another. */
import type { CachedApplication } from '../support/cached-application.js';
import {
  Animal,
  Car,
  Cat,
  Category,
  Dog,
  Section,
  Topic,
  Truck,
} from './fixtures/family.entities.js';
import { family, wholeFamilyTable, type FamilyAnswer } from './fixtures/family.js';
import { describeMatrix, type MatrixRow } from './matrix.js';

const manager = ({ source }: CachedApplication): CachedApplication['source']['manager'] =>
  source.manager;
const allCategories: readonly FamilyAnswer[] = [
  'categories',
  'categories with parents',
  'below category 1',
];

const rows: readonly MatrixRow<FamilyAnswer>[] = [
  {
    path: '29 single-table inheritance: save of a child entity',
    write: (app) => manager(app).save(Dog, { id: 9, region: 'US', name: 'fido', tricks: 0 }),
    ends: ['animals', 'animals US', 'dogs US'],
  },
  {
    path: '29 single-table inheritance: update by the key of a child entity',
    write: (app) => manager(app).update(Cat, 2, { lives: 8 }),
    ends: ['animals', 'animals US', 'dogs US', 'cat 2'],
  },
  {
    path: '29 single-table inheritance: move between regions through the parent entity',
    write: async (app) => {
      const cat = await manager(app).findOneByOrFail(Animal, { id: 2 });
      cat.region = 'EU';
      await manager(app).save(cat);
    },
    ends: ['animals', 'animals US', 'dogs US', 'cats EU', 'cat 2'],
  },
  {
    path: '29 single-table inheritance: all of a kind, which is no region',
    write: (app) =>
      manager(app)
        .update(Cat, {}, { lives: 1 })
        .catch(() => manager(app).createQueryBuilder().update(Cat).set({ lives: 1 }).execute()),
    ends: wholeFamilyTable('animals').filter((name) => name !== 'dog 1'),
  },
  {
    path: '29 class-per-table inheritance: one kind, not the other',
    write: (app) => manager(app).save(Car, { id: 1, distance: 100 }),
    ends: ['cars', 'cars US', 'car 1'],
  },
  {
    path: '29 class-per-table inheritance: the other kind',
    write: (app) => manager(app).delete(Truck, { id: 1 }),
    ends: ['trucks', 'truck 1'],
  },
  {
    path: '29 materialized path: a new leaf',
    write: async (app) => {
      const parent = await manager(app).findOneByOrFail(Category, { id: 2 });
      await manager(app).save(Category, { id: 9, name: 'poems', parent });
    },
    ends: allCategories,
  },
  {
    path: '29 materialized path: a branch moves, each row below it by a statement on the path',
    write: async (app) => {
      const trees = app.source.getTreeRepository(Category);
      const books = await trees.findOneByOrFail({ id: 2 });
      books.parent = await trees.findOneByOrFail({ id: 3 });
      await trees.save(books);
    },
    ends: wholeFamilyTable('categories').filter((name) => name !== 'category 3'),
  },
  {
    path: '29 materialized path: a branch goes, by a foreign key of the table to itself',
    write: (app) => manager(app).delete(Category, 2),
    ends: wholeFamilyTable('categories').filter((name) => name !== 'category 3'),
  },
  {
    path: '29 closure table: a new leaf is written to both tables',
    write: async (app) => {
      const parent = await manager(app).findOneByOrFail(Topic, { id: 3 });
      await manager(app).save(Topic, { id: 9, name: 'chess', parent });
    },
    ends: ['topics', 'paths of topics', 'below topic 1'],
  },
  {
    path: '29 closure table: a branch moves',
    write: async (app) => {
      const trees = app.source.getTreeRepository(Topic);
      const sport = await trees.findOneByOrFail({ id: 3 });
      sport.parent = await trees.findOneByOrFail({ id: 1 });
      await trees.save(sport);
    },
    ends: ['topics', 'paths of topics', 'below topic 1'],
  },
  {
    path: '29 closure table: a rename leaves the paths alone',
    write: (app) => manager(app).update(Topic, 2, { name: 'press' }),
    ends: ['topics', 'topic 2', 'below topic 1'],
  },
  {
    path: '29 closure table: a branch goes, and its paths by foreign keys',
    write: (app) => manager(app).delete(Topic, 2),
    ends: wholeFamilyTable('topics', 'topics_closure'),
  },
  {
    path: '29 nested set: a new leaf renumbers its ancestors',
    write: async (app) => {
      const parent = await manager(app).findOneByOrFail(Section, { id: 1 });
      await manager(app).save(Section, { id: 9, name: 'right', parent });
    },
    ends: wholeFamilyTable('sections'),
  },
];

describeMatrix('writes of trees and of entities that inherit', family, rows);
