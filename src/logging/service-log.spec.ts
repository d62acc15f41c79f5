import { describe, expect, it } from 'vitest';
import { QueryFailedError } from 'typeorm';
import { describeError } from './describe-error.js';
import { ServiceLog } from './service-log.js';

function startLog(level: 'debug' | 'info' | 'silent', isTTY = false) {
  const lines: string[] = [];
  const log = new ServiceLog(level, { isTTY, write: (line: string) => void lines.push(line) });
  return { log, lines };
}

describe('ServiceLog', () => {
  it('removes credentials from URLs', () => {
    const { log, lines } = startLog('info');
    log.error('cannot reach postgres://ada:s3cret@db/x', 'Error: redis://:s3cret@r', 'Database');
    expect(lines.join('')).toContain('postgres://***@db/x');
    expect(lines.join('')).not.toContain('s3cret');
  });

  it('redacts fields with secrets', () => {
    const { log, lines } = startLog('info');
    log.record('info', { password: 's3cret', options: { authorization: 's3cret' } }, 'x');
    expect(lines.join('')).not.toContain('s3cret');
  });

  it('omits the route and module records of the framework at level info', () => {
    const { log, lines } = startLog('info');
    log.log('Mapped {/users, GET} route', 'RouterExplorer');
    expect(lines).toEqual([]);
    log.log('Ran migration', 'Database');
    expect(lines).toHaveLength(1);
  });

  it('writes nothing at level silent', () => {
    const { log, lines } = startLog('silent');
    log.fatal('x');
    expect(lines).toEqual([]);
    expect(log.isEnabled('fatal')).toBe(false);
  });

  it('writes readable lines on a terminal', () => {
    const { log, lines } = startLog('info', true);
    log.warn('Redis is away', 'Cache');
    expect(lines).toEqual([expect.stringMatching(/^\d\d:\d\d:\d\d WARN Cache: Redis is away\n$/)]);
  });
});

describe('describeError', () => {
  it('omits text and values of a failed statement', () => {
    const driver = Object.assign(new Error('invalid input "ada"'), { code: '22P02' });
    const described = describeError(new QueryFailedError('SELECT ada', ['ada'], driver));
    expect(described).toMatchObject({ code: '22P02', message: 'a statement failed' });
    expect(JSON.stringify(described)).not.toContain('"ada');
    expect(described.stack).toMatch(/^ {4}at /);
  });
});
