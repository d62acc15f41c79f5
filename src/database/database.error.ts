/** There is no database to work with. The message, for the person who started the service, has reason and remedy. */
export class DatabaseError extends Error {
  override readonly name: string = 'DatabaseError';
}
