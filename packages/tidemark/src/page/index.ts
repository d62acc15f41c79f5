/** The public names of the page. */
export { CachePage } from './cache-page.js';
export { CachePageModule } from './cache-page.module.js';
export type { CachePageModuleOptions } from './page-options.js';
export type * from './page-api.js';
export type * from '../observe/report.js';
