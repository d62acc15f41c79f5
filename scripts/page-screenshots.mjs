/**
 * Takes the pictures of the page in docs/page/: all views in light and dark, from three built instances under load.
 *
 *   npm run build && node scripts/page-screenshots.mjs [minutes of load, default 8]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { chromiumBinary } from './chromium-binary.mjs';
import { packPng } from './pack-png.mjs';
import { redisServerBinary } from './redis-server-binary.mjs';

register('../test/support/typescript-loader.mjs', import.meta.url);
process.env.CHROMIUM = chromiumBinary();
process.env.REDIS_SERVER = redisServerBinary();
const { Cluster } = await import('../test/e2e/support/cluster.ts');
const { startBrowser } = await import('../test/support/browser.ts');
const { openSignedIn, showView } = await import('../test/e2e/support/page-views.ts');

const TOKEN = 'the-token-of-the-pictures';
const REGIONS = ['US', 'EU', 'APAC', 'LATAM', 'MEA'];
const USERS = 1_000;
const VIEWS = [
  ['overview', 'Overview'],
  ['queries', 'Queries'],
  ['query', 'users.page', '#/queries/users.page'],
  ['live', 'Live'],
  ['writes', 'Writes'],
  ['regions', 'Regions'],
  ['doubt', 'Doubt'],
  ['control', 'Control'],
];

const folder = fileURLToPath(new URL('../docs/page/', import.meta.url));
const minutes = Number(process.argv[2] ?? 8);

const pick = (values) => values[Math.floor(Math.random() * values.length)];
/** Small numbers more often. */
const someUser = () => 1 + Math.floor(USERS * Math.random() ** 3);

function readPath() {
  const dice = Math.random();
  if (dice < 0.6) return `/users/${someUser()}`;
  if (dice < 0.85) return `/users?region=${pick(REGIONS)}&limit=50`;
  return dice < 0.95 ? '/regions' : '/users?limit=100';
}

async function write(instance, turn) {
  if (turn % 7 === 0) {
    const user = { username: `guest-${turn}`, region: 'GUEST', email: 'guest@example.com' };
    return instance.post('/users', user);
  }
  if (turn % 31 === 0) return instance.post('/regions/GUEST/move', { to: pick(REGIONS) });
  const user = { email: `user-${turn}@example.com` };
  return instance.patch(`/users/${someUser()}`, user);
}

async function putLoad(cluster, isOver) {
  for (let turn = 1; !isOver(); turn += 1) {
    const instance = cluster.instances[turn % 3];
    // More and fewer of them within some minutes.
    const reads = 8 + Math.round(6 * Math.sin(Date.now() / 60_000) + 2 * Math.random());
    await Promise.all(Array.from({ length: reads }, () => instance.get(readPath())));
    if (turn % 3 === 0) await write(instance, turn / 3);
    if (turn % 200 === 0) {
      await cluster.sql('UPDATE users SET email = $2 WHERE id = $1', [someUser(), 'o@example.com']);
    }
    await delay(150);
  }
}

const cluster = await Cluster.start({
  CACHE_ADMIN_TOKEN: TOKEN,
  CACHE_ADMIN_ACTIONS: 'true',
  CACHE_AUDIT: '0.5',
});
const browser = await startBrowser();
let isOver = false;
// The servers of tests do not keep a process alive.
const alive = setInterval(() => undefined, 60_000);
try {
  const users = Array.from({ length: USERS }, (_, index) => ({
    username: `user-${index}`,
    region: REGIONS[index % REGIONS.length],
    email: 'user@example.com',
  }));
  await cluster.instances[0].post('/users/batch', { users });
  const load = putLoad(cluster, () => isOver);
  await delay(minutes * 60_000);
  mkdirSync(folder, { recursive: true });
  for (const colorScheme of ['light', 'dark']) {
    const { page } = await openSignedIn(browser, cluster.instances[0].process.url, TOKEN, {
      colorScheme,
    });
    for (const [name, title, hash = `#/${name}`] of VIEWS) {
      await showView(page, hash, title);
      // For the live view to fill, and for the reports of the other instances.
      await delay(4_000);
      const picture = packPng(await page.screenshot());
      writeFileSync(`${folder}${name}-${colorScheme}.png`, picture);
    }
  }
  isOver = true;
  await load;
} finally {
  isOver = true;
  await browser.close();
  await cluster.stop();
  clearInterval(alive);
}
