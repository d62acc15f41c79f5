/** Lets plain Node run the TypeScript files of this folder, of the service and of its test support. */
import { register } from 'node:module';

register('../test/support/typescript-loader.mjs', import.meta.url);
