/** Tests of one line of TypeORM. test/README.md lists the differences, with their reasons. */
import { it } from 'vitest';
import { SelectQueryBuilder } from 'typeorm';

/** Whether TypeORM is 0.3, as in the project `typeorm-0.3`. */
export const isTypeorm03 = 'loadRelationCountAndMap' in SelectQueryBuilder.prototype;

/** A test of behaviour that TypeORM 0.3 does not have. */
export const itOnTypeorm1 = isTypeorm03 ? it.skip : it;

/** A test of behaviour that only TypeORM 0.3 has. */
export const itOnTypeorm03 = isTypeorm03 ? it : it.skip;
