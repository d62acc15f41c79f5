/** The public names of the metrics. */
export { CacheMetricsModule, type CacheMetricsModuleOptions } from './cache-metrics.module.js';
