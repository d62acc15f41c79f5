/** The public names of the traces. */
export { CacheTracingModule } from './cache-tracing.module.js';
