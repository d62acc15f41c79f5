/** The public names of the page. */
export type * from './page-api.js';
export type * from '../observe/report.js';
