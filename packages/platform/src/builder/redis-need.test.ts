import { describe, expect, it } from 'vitest';
import { detect } from './detect/detect.ts';
import { memoryTree } from './detect/source-tree.ts';
import { mentionOfRedis, redisNeed } from './redis-need.ts';
import { parseLock } from './steps/lock.ts';

const FLASK = { 'app.py': 'from flask import Flask\napp = Flask(__name__)\n' };

function needOf(
  lines: string,
  more: {
    files?: Record<string, string>;
    config?: Record<string, string>;
    locked?: string;
    named?: boolean;
  } = {},
) {
  const tree = memoryTree({ ...FLASK, 'requirements.txt': lines, ...more.files });
  return redisNeed({
    detection: detect(tree, { pythonVersions: ['3.12.1'], config: {} }),
    lock: more.locked === undefined ? undefined : parseLock(more.locked),
    config: more.config ?? {},
    mention: mentionOfRedis(tree, ''),
    report: more.named === undefined ? {} : { redis: more.named },
  });
}

describe('redisNeed', () => {
  it.each(['redis', 'Django_Redis', 'channels-redis>=4', 'rq', 'django-rq', 'huey==2.5.0'])(
    'is there with %s',
    (line) => {
      const { needed, findings } = needOf(`flask\n${line}\n`);
      expect(needed).toBe(true);
      expect(findings[0]?.why).toMatch(/is installed/);
    },
  );

  it('is there when only another package brings the client', () => {
    expect(needOf('flask\ncelery[redis]\n', { locked: 'redis==5.0.1\n' }).needed).toBe(true);
  });

  it('is not there without a client, and nothing is said', () => {
    expect(needOf('flask\n')).toEqual({ needed: false, findings: [] });
    expect(needOf('flask\nredistribute\n').needed).toBe(false);
  });

  it('is there with Celery whose settings speak of Redis, and says where', () => {
    const files = { 'config/settings/base.py': 'A = 1\nCELERY_BROKER_URL = "redis://x"\n' };
    const { needed, findings } = needOf('celery\n', { files });
    expect(needed).toBe(true);
    expect(findings[0]?.evidence).toBe('config/settings/base.py:2');
    expect(needOf('celery\n').needed).toBe(false);
  });

  it('is there when the imported settings name it, but not by a variable of ours alone', () => {
    const files = { 'shop/settings.py': 'QUEUE = env("REDIS_URL")\n' };
    expect(needOf('flask\n', { files, named: true }).needed).toBe(true);
    expect(needOf('flask\n', { files, named: false }).needed).toBe(false);
    expect(needOf('flask\n', { named: true }).needed).toBe(false);
  });

  it('is not there when the app is told of a server elsewhere', () => {
    for (const key of ['REDIS_URL', 'REDIS_HOST']) {
      const { needed, findings } = needOf('redis\n', { config: { [key]: 'elsewhere' } });
      expect(needed).toBe(false);
      expect(findings[0]?.why).toContain(key);
    }
  });

  it.each([
    ['redis = false', 'redis\n', false],
    ['redis = true', 'flask\n', true],
  ])('is what tandem.toml says: %s', (toml, lines, needed) => {
    const need = needOf(lines, { files: { 'tandem.toml': `${toml}\n` } });
    expect(need.needed).toBe(needed);
    expect(need.findings[0]?.evidence).toBe('tandem.toml');
  });
});

describe('mentionOfRedis', () => {
  it('looks at settings, not at the rest, and not at comments', () => {
    const other = memoryTree({ 'shop/views.py': 'import redis\n' });
    expect(mentionOfRedis(other, '')).toBeUndefined();
    const commented = memoryTree({ 'shop/settings.py': '# redis://localhost\nX = 1\n' });
    expect(mentionOfRedis(commented, '')).toBeUndefined();
  });

  it('is not misled by the name of the directory the app lies in', () => {
    const tree = memoryTree({
      'config/app/views.py': 'redis\n',
      'config/app/settings.py': 'redis',
    });
    expect(mentionOfRedis(tree, 'config/app')).toBe('config/app/settings.py:1');
  });
});
