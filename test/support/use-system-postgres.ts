/** For spec files that run on the PostgreSQL of the system: it is the one they share. */
process.env['TIDEMARK_TEST_POSTGRES_URL'] = process.env['TIDEMARK_SYSTEM_POSTGRES_URL'];
process.env['POSTGRES_BIN'] = process.env['SYSTEM_POSTGRES_BIN'];
// That of the run is of another version.
delete process.env['TIDEMARK_TEST_POSTGRES_MODEL'];
