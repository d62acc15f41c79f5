import { Gauge, type Registry } from 'prom-client';

/** One sample of 1, whose label names the release that is part of each key of the cache. */
export function nameRelease(release: string, registry: Registry): void {
  new Gauge({
    name: 'tidemark_release_info',
    help: 'The release whose stored answers this instance reads',
    labelNames: ['release'],
    registers: [registry],
  }).set({ release }, 1);
}
