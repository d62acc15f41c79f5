/** The built service with its embedded PostgreSQL: real processes, real signals, real files. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { itWhenLong } from '../support/long-tests.js';
import { ProcessGuard } from '../support/process-guard.js';
import { isRunning } from '../support/process-tree.js';

const MAIN = join(import.meta.dirname, '../../dist/main.js');
const START_LIMIT_MS = 45_000;
const USERS = 30;

// Each case starts real servers, up to three in a row.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

/** The built service in a folder, without DATABASE_URL. */
class OwnService {
  log = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly guard: ProcessGuard,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    }
  }

  static async launch(folder: string): Promise<OwnService> {
    const child = spawn(process.execPath, [MAIN], {
      cwd: folder,
      // A separate process group, as a terminal makes one.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOST: '127.0.0.1',
        // The service's own choice: a port chosen here could be the one that its database takes.
        PORT: '0',
        SEED_USERS: String(USERS),
      },
    });
    await once(child, 'spawn');
    const guard = new ProcessGuard({ pid: Number(child.pid), signal: 'KILL', directory: folder });
    return new OwnService(child, guard);
  }

  static async start(folder: string): Promise<OwnService> {
    const service = await OwnService.launch(folder);
    const limitMs = performance.now() + START_LIMIT_MS;
    while (!(await service.get('/health/ready').catch(() => undefined))?.ok) {
      if (!service.isRunning || performance.now() > limitMs) throw new Error(service.log);
      await delay(25);
    }
    return service;
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The address in the log of the listening service; throws before it is there. */
  get port(): number {
    const port = /Listening on http:\/\/[^"]*:(\d+)/.exec(this.log)?.[1];
    if (port === undefined) throw new Error('The service does not listen yet');
    return Number(port);
  }

  get pid(): number {
    return Number(this.child.pid);
  }

  async get(path: string): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`);
  }

  async post(path: string, body: unknown): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Sends a signal; returns how the process ended. */
  async end(signal: NodeJS.Signals) {
    if (this.isRunning) process.kill(this.pid, signal);
    return this.ended();
  }

  async ended(): Promise<number | NodeJS.Signals | null> {
    if (this.isRunning) await once(this.child, 'close');
    this.guard.dismiss();
    return this.child.exitCode ?? this.child.signalCode;
  }
}

function serverPid(folder: string): number {
  return Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

function launcherPid(folder: string): number {
  const lock = JSON.parse(readFileSync(join(folder, 'lock'), 'utf8')) as { launcher: number };
  return lock.launcher;
}

async function gone(pid: number): Promise<void> {
  const limitMs = performance.now() + START_LIMIT_MS;
  while (isRunning(pid)) {
    if (performance.now() > limitMs) throw new Error(`process ${pid} does not end`);
    await delay(25);
  }
}

describe('the embedded database', () => {
  let folder: string;
  let data: string;
  const services: OwnService[] = [];

  const start = async (): Promise<OwnService> => {
    const service = await OwnService.start(folder);
    services.push(service);
    return service;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-embedded-'));
    chmodSync(folder, 0o755);
    data = join(folder, '.data');
  });

  afterEach(async () => {
    for (const service of services.splice(0)) await service.end('SIGKILL');
    const lock = join(data, 'lock');
    if (existsSync(lock)) await gone(launcherPid(data));
    rmSync(folder, { recursive: true, force: true });
  });

  it('is created, filled, logged, stopped with the service, and keeps its data and its address', async () => {
    const first = await start();
    const users = (await (await first.get('/users')).json()) as unknown[];
    expect(users).toHaveLength(USERS);
    expect(first.log).toContain(join(data, 'postgres'));
    expect(first.log).toContain(`curl -i 'http://127.0.0.1:${first.port}/users`);
    expect(first.log).toContain('/docs');
    const settings = readFileSync(join(data, 'database.json'), 'utf8');
    const { password } = JSON.parse(settings) as { password: string };
    expect(first.log).not.toContain(password);
    expect(statSync(join(data, 'database.json')).mode & 0o777).toBe(0o600);
    const created = await first.post('/users', { username: 'ada', region: 'US', email: 'a@b.co' });
    expect(created.status).toBe(201);
    const postgres = serverPid(data);
    expect(await first.end('SIGTERM')).toBe(0);
    expect(isRunning(postgres)).toBe(false);
    expect(existsSync(join(data, 'lock'))).toBe(false);

    const second = await start();
    expect(second.log).not.toContain('making a new database');
    expect(second.log).not.toContain('Filling in users');
    expect(readFileSync(join(data, 'database.json'), 'utf8')).toBe(settings);
    const response = await second.get(String(created.headers.get('location')));
    expect(await response.json()).toMatchObject({ username: 'ada' });
  });

  itWhenLong(
    'serves one service per folder, and outlives Ctrl-C until that service has stopped',
    async () => {
      const service = await start();
      const another = await OwnService.launch(folder);
      services.push(another);
      expect(await another.ended()).toBe(1);
      expect(another.log).toContain(`in use by another Tidemark (process ${service.pid})`);
      expect((await service.get('/health/ready')).status).toBe(200);

      const postgres = serverPid(data);
      // npm passes on what the terminal has sent to the whole group already.
      process.kill(-service.pid, 'SIGINT');
      await delay(20);
      expect(await service.end('SIGINT')).toBe(0);
      expect(service.log).not.toMatch(/"level":"(warn|error|fatal)"/);
      expect(isRunning(postgres)).toBe(false);
    },
  );

  it('stops when the service is killed, starts again at once, and takes that down when it ends', async () => {
    const killed = await start();
    const postgres = serverPid(data);
    expect(await killed.end('SIGKILL')).toBe('SIGKILL');
    const next = await start();
    expect(isRunning(postgres)).toBe(false);
    expect(await (await next.get('/users')).json()).toHaveLength(USERS);

    process.kill(serverPid(data), 'SIGQUIT');
    expect(await next.ended()).toBe(1);
    expect(next.log).toContain('The embedded PostgreSQL has ended');
  });

  itWhenLong(
    'replaces a server that was left behind when its launcher was killed too',
    async () => {
      const killed = await start();
      const postgres = serverPid(data);
      process.kill(launcherPid(data), 'SIGKILL');
      await killed.end('SIGKILL');
      expect(isRunning(postgres)).toBe(true);
      const next = await start();
      expect(isRunning(postgres)).toBe(false);
      expect(await (await next.get('/users')).json()).toHaveLength(USERS);
    },
  );

  itWhenLong('is not stopped by a process with the id of an old server', async () => {
    await (await start()).end('SIGTERM');
    const otherClient = spawn('sleep', ['600'], { stdio: 'ignore' });
    try {
      const pidFile = join(data, 'postgres', 'postmaster.pid');
      writeFileSync(pidFile, `${otherClient.pid}\n${join(data, 'postgres')}\n0\n1\n\n127.0.0.1\n`);
      const { uid, gid } = statSync(join(data, 'postgres'));
      chownLike(pidFile, uid, gid);
      await start();
      expect(otherClient.exitCode ?? otherClient.signalCode).toBeNull();
    } finally {
      otherClient.kill('SIGKILL');
    }
  });

  itWhenLong('begins again when the first start was interrupted', async () => {
    const interrupted = await OwnService.launch(folder);
    services.push(interrupted);
    while (!interrupted.log.includes('making a new database')) await delay(5);
    await interrupted.end('SIGKILL');
    const next = await start();
    expect(await (await next.get('/users')).json()).toHaveLength(USERS);
  });

  itWhenLong('uses another place where its user cannot enter the folder', async () => {
    chmodSync(folder, 0o700);
    const isRoot = process.getuid?.() === 0;
    const service = await start();
    const place = /data in (\S+)\/postgres/.exec(service.log)?.[1] ?? '';
    try {
      // Without root the server runs as the folder's own user, who can enter.
      expect(place).toMatch(isRoot ? /^\/var\/lib\/tidemark\/[0-9a-f]{12}$/ : /\/\.data$/);
      expect(await service.end('SIGTERM')).toBe(0);
      expect(await (await (await start()).get('/users')).json()).toHaveLength(USERS);
    } finally {
      for (const each of services) await each.end('SIGTERM');
      if (dirname(place) === '/var/lib/tidemark') rmSync(place, { recursive: true, force: true });
    }
  });
});

function chownLike(path: string, uid: number, gid: number): void {
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
}
