import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Indexes pages of a region's users in the order of their ids. */
export class IndexUsersByRegion1700000001000 implements MigrationInterface {
  readonly name = 'IndexUsersByRegion1700000001000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX "users_region_id_idx" ON "users" ("region", "id")');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX "users_region_id_idx"');
  }
}
