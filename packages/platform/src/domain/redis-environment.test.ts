import { describe, expect, it } from 'vitest';
import { redisEnvironment } from './redis-environment.ts';

const env = redisEnvironment({ host: 'redis.internal', port: 6379, password: 'p/w' });

describe('redisEnvironment', () => {
  it('opens the server with the password alone', () => {
    expect(env['REDIS_URL']).toBe('redis://:p%2Fw@redis.internal:6379/0');
  });

  it('names the parts for projects that build the URL themselves', () => {
    expect(env).toMatchObject({
      REDIS_HOST: 'redis.internal',
      REDIS_PORT: '6379',
      REDIS_PASSWORD: 'p/w',
      REDIS_DB: '0',
    });
  });

  it('keeps the cache, which is emptied, away from the queues', () => {
    const databaseOf = (name: string) => new URL(env[name] ?? '').pathname;
    for (const name of ['REDIS_URL', 'CELERY_BROKER_URL', 'CELERY_RESULT_BACKEND', 'RQ_REDIS_URL'])
      expect(databaseOf(name)).toBe('/0');
    for (const name of ['CACHE_URL', 'REDIS_CACHE_URL']) expect(databaseOf(name)).toBe('/1');
  });

  it('has the same names without a password', () => {
    const standIns = redisEnvironment({ host: '127.0.0.1', port: 9 });
    expect(Object.keys(standIns)).toEqual(Object.keys(env));
    expect(standIns['REDIS_URL']).toBe('redis://127.0.0.1:9/0');
  });
});
