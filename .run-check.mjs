import { register } from 'node:module';
register('./test/support/typescript-loader.mjs', import.meta.url);
process.env.REDIS_SERVER='/usr/bin/redis-server';
const { main } = await import('./test/consistency/checker/cli.ts');
process.exit(await main(process.argv.slice(2)));
