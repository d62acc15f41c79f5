/** A user as a client asks for one, with every field. */
export const ADA = { username: 'ada', region: 'US', email: 'ada@example.com' };
