import { describe, expect, it } from 'vitest';
import { memoryTree } from '../source-tree.ts';
import { containerValues, isDefault } from './container-variables.ts';
import { readContainers } from './containers.ts';

const values = (files: Record<string, string>) => {
  const tree = memoryTree({ Dockerfile: 'FROM python:3.12\n', ...files });
  const given = containerValues(tree, readContainers(tree, ''));
  return Object.fromEntries([...given].map(([name, { value }]) => [name, value]));
};
const ofWeb = (environment: string, more: Record<string, string> = {}) =>
  values({
    'compose.yml': `services:\n  web:\n    build: .\n    environment:\n${environment.replace(/^/gm, '      ')}\n`,
    ...more,
  });
const hosts = new Set(['db', 'redis', 'web']);
const judge = (name: string, value: string) => isDefault({ name, value, isFixed: true }, hosts);

describe('isDefault', () => {
  it.each([
    ['SITE_NAME', 'Shop'],
    ['FEATURE_SIGNUP', 'true'],
    ['ADMIN_URL', 'admin/'],
    ['PAYMENT_API', 'https://api.payments.org/v2'],
    ['ACCESS_TOKEN_LIFETIME', '30'],
    ['WORKERS', '1'],
  ])('takes %s=%s', (name, value) => {
    // The word of a secret in a name is enough to leave it alone.
    expect(judge(name, value)).toBe(!/TOKEN/.test(name));
  });

  it.each([
    ['SECRET_KEY', 'abc'],
    ['DB_PASS', 'abc'],
    ['STRIPE_API_KEY', 'pk_live_1'],
    ['SENTRY_DSN', 'https://a@sentry.io/1'],
    ['DB_HOST', 'db'],
    ['SEARCH_ENGINE', 'redis'],
    ['QUEUE', 'amqp://rabbit:5672'],
    ['CACHE', 'redis:6379'],
    ['CACHE_URL', 'redis://redis:6379/0'],
    ['SITE', 'http://localhost:8000'],
    ['SITE', 'localhost'],
    ['SITE', 'http://127.0.0.1'],
    ['SITE', 'https://example.com'],
    ['API', 'http://host.docker.internal:1'],
    ['FROM_MAIL', 'me@localhost'],
    ['CONFIG', '/code/config.toml'],
    ['PORT', '8000'],
    ['WEBPORT', '8000'],
    ['DEBUG', '1'],
    ['USE_DEBUG_TOOLBAR', 'on'],
    ['STAGE', 'development'],
    ['SETTINGS', 'config.settings.local'],
    ['TITLE', 'changeme'],
    ['TITLE', 'your-title'],
    ['TITLE', '<title>'],
    ['TITLE', ''],
    ['TITLE', '  '],
    ['TITLE', 'a\nb'],
    ['TITLE', 'x'.repeat(500)],
    ['POSTGRES_EXTENSION', 'postgis'],
    ['AWS_ACCESS_KEY_ID', 'AKIA'],
  ])('leaves %s=%j', (name, value) => {
    expect(judge(name, value)).toBe(false);
  });
});

describe('containerValues', () => {
  it('takes fixed values and defaults, not what is set from outside', () => {
    expect(ofWeb('- A=1\n- B=${B:-two}\n- C=$C\n- D=${D}\n- E=${E:?needed}\n- F\n- G=$$x')).toEqual(
      { A: '1', B: 'two', G: '$x' },
    );
  });

  it('takes committed files, below what the service says itself; no examples', () => {
    const files = {
      '.env.prod': 'A=file\nB="b c" \n# C=3\nexport D=4 # why\nnot a line\nE=$OTHER\n',
      '.env.example': 'X=1\n',
      'compose.yml': `services:
  web:
    build: .
    env_file: [.env.prod, .env.example, .env.gone]
    environment: { A: own }
`,
    };
    expect(values(files)).toEqual({ A: 'own', B: 'b c', D: '4' });
  });

  it('is nothing where services disagree, and that of the web service where it can be told', () => {
    const compose = (ports: string) => `services:
  web: { build: ., ${ports} environment: { ROLE: site, SAME: x } }
  worker: { build: ., environment: { ROLE: worker, SAME: x } }
`;
    expect(values({ 'compose.yml': compose('') })).toEqual({ SAME: 'x' });
    expect(values({ 'compose.yml': compose('ports: ["80:80"],') })).toEqual({
      ROLE: 'site',
      SAME: 'x',
    });
  });

  it('is nothing of a service for development', () => {
    const web = 'services:\n  web: { build: ., command: CMD, environment: { A: 1 } }\n';
    const command = (text: string) => values({ 'compose.yml': web.replace('CMD', text) });
    expect(command('python manage.py runserver')).toEqual({});
    expect(command('uvicorn a:b --reload')).toEqual({});
    expect(command('gunicorn a.wsgi')).toEqual({ A: '1' });
    expect(values({ 'local.yml': web.replace('CMD', 'gunicorn a.wsgi') })).toEqual({});
  });

  it('takes what the image sets, where nothing hides it', () => {
    const image = { Dockerfile: 'FROM python:3.12\nENV A=1 B=2\nENV C $A/x\nENV D=$UNKNOWN\n' };
    expect(values(image)).toEqual({ A: '1', B: '2', C: '1/x' });
    expect(ofWeb('B: ${B}', image)).toEqual({ A: '1', C: '1/x' });
    expect(values({ Dockerfile: '', 'Dockerfile.dev': image.Dockerfile })).toEqual({});
  });
});
