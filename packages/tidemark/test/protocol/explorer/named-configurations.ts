/** Every configuration that is explored, by its name. */
import type { Configuration } from './configuration.js';
import { CONFIGURATIONS } from './configurations.js';
import { NOTICED, PARTITION, THERE_AND_BACK } from './limits.js';
import { VARIANTS } from './variants/variants.js';

export function configurationNamed(name: string): Configuration {
  const all = [...CONFIGURATIONS, PARTITION, THERE_AND_BACK, ...NOTICED, ...VARIANTS];
  const found = all.find((configuration) => configuration.name === name);
  if (!found) throw new Error(`There is no configuration ${JSON.stringify(name)}.`);
  return found;
}
