/** Real: PostgreSQL. All packages have the TypeORM of the project, 0.3 or 1.x: two would not know each other's classes. */
import { createRequire } from 'node:module';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { createDatabase } from '../../../../test/support/shared-postgres.js';
import { isTypeorm03 } from '../support/typeorm-line.js';

const require = createRequire(import.meta.url);

it('the tests import the line that the project names', ({ task }) => {
  expect(isTypeorm03).toBe(task.file.projectName === 'typeorm-0.3');
});

it('the data source of @nestjs/typeorm is of the class that the library imports', async () => {
  const options = { type: 'postgres', url: await createDatabase(), retryAttempts: 0 } as const;
  const app = await Test.createTestingModule({
    imports: [TypeOrmModule.forRoot(options)],
  }).compile();
  expect(app.get(DataSource)).toBeInstanceOf(DataSource);
  await app.close();
});

it.each(['@nestjs/typeorm', 'typeorm-transactional', '@nestjs-cls/transactional-adapter-typeorm'])(
  '%s requires the TypeORM that the library imports',
  (name) => {
    const { DataSource: theirs } = createRequire(require.resolve(name))('typeorm') as {
      DataSource: unknown;
    };
    expect(theirs).toBe(DataSource);
  },
);
