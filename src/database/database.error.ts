/** No database is available. The message gives reason and remedy to the person who started the service. */
export class DatabaseError extends Error {
  override readonly name: string = 'DatabaseError';
}
