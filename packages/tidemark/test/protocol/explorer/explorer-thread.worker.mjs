/** The other side of explorer-thread.ts: explores what it is asked to and answers what it found. */
import { register } from 'node:module';
import { parentPort } from 'node:worker_threads';

register('../../../../../test/support/typescript-loader.mjs', import.meta.url);
const { configurationNamed } = await import('./named-configurations.ts');
const { explore } = await import('./explore.ts');

async function answer({ name, options }) {
  try {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort.postMessage({ found: await explore(configurationNamed(name), options) });
  } catch (error) {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort.postMessage({ failure: error });
  }
}

parentPort.on('message', (question) => void answer(question));
