/** The body of a POST with every field. */
export const ADA = { username: 'ada', region: 'US', email: 'ada@example.com' };
