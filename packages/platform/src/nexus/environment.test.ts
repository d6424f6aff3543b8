import { describe, expect, it } from 'vitest';
import { buildEnvironment } from './environment.ts';

const sources = {
  appName: 'bakery',
  release: 3,
  processName: 'web.1',
  urls: ['http://a.localhost:8080'],
  origins: ['http://a.localhost:8080', 'https://a.localhost:8443'],
  hostnames: ['bakery.localhost'],
  memoryBytes: 536_870_912,
  image: { env: { DJANGO_SETTINGS_MODULE: 'tandem_settings' } },
  secretKey: 'generated',
  services: { DATABASE_URL: 'postgresql://x' },
  config: {},
};

describe('buildEnvironment', () => {
  it('hands out port, secret key and service credentials', () => {
    const env = buildEnvironment(sources);
    expect(env).toMatchObject({
      PORT: '8000',
      SECRET_KEY: 'generated',
      DATABASE_URL: 'postgresql://x',
      TANDEM_RELEASE: 'v3',
      TANDEM_PUBLIC: '0',
    });
  });

  it('lets the user override what the platform hands out, but not the port', () => {
    const env = buildEnvironment({
      ...sources,
      config: { SECRET_KEY: 'mine', DATABASE_URL: 'mysql://elsewhere', PORT: '1' },
    });
    expect(env.SECRET_KEY).toBe('mine');
    expect(env.DATABASE_URL).toBe('mysql://elsewhere');
    expect(env.PORT).toBe('8000');
  });

  it('is public as soon as one hostname is', () => {
    const env = buildEnvironment({ ...sources, hostnames: ['a.localhost', 'a.example'] });
    expect(env.TANDEM_PUBLIC).toBe('1');
  });

  it('spells wildcards as Django allows hosts', () => {
    const env = buildEnvironment({ ...sources, hostnames: ['a.localhost', '*.a.example'] });
    expect(env.TANDEM_HOSTS).toBe('a.localhost,.a.example');
  });
});
