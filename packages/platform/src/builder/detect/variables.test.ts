import { describe, expect, it } from 'vitest';
import { environmentReads } from './environment-reads.ts';
import { memoryTree } from './source-tree.ts';
import { detectVariables, productionKeyIn } from './variables.ts';

const variablesOf = (
  text: string,
  known: readonly string[] = [],
  { committed = [] as readonly string[], isDjango = false } = {},
) =>
  detectVariables({
    reads: environmentReads(memoryTree({ 'settings.py': text }), ['settings.py']),
    known: new Set(known),
    committed: new Set(committed),
    isDjango,
  });

describe('a database under names of the project', () => {
  it('is recognised by its place in DATABASES', () => {
    const text = `DATABASES = {"default": {
      "NAME": os.environ["BLOG_STORE"], "USER": env("BLOG_ROLE"), "PASSWORD": config("BLOG_PW"),
      "HOST": os.getenv("BLOG_AT", "localhost"), "PORT": os.environ.get("BLOG_DOOR")}}`;
    expect(variablesOf(text).aliases).toEqual({
      BLOG_STORE: 'PGDATABASE',
      BLOG_ROLE: 'PGUSER',
      BLOG_PW: 'PGPASSWORD',
      BLOG_AT: 'PGHOST',
      BLOG_DOOR: 'PGPORT',
    });
  });

  it.each([
    ['X = env.db("PRIMARY")', { PRIMARY: 'DATABASE_URL' }],
    [
      'URI = os.environ.get("SQLALCHEMY_DATABASE_URI")',
      { SQLALCHEMY_DATABASE_URI: 'DATABASE_URL' },
    ],
    ['A = os.environ["SHOP_DB_HOST"]', { SHOP_DB_HOST: 'PGHOST' }],
    ['A = os.environ["RDS_DB_NAME"]', { RDS_DB_NAME: 'PGDATABASE' }],
    ['A = os.environ["POSTGRES_SERVER"]', { POSTGRES_SERVER: 'PGHOST' }],
  ])('%s', (text, aliases) => {
    expect(variablesOf(text).aliases).toEqual(aliases);
  });

  it('is not that of another alias', () => {
    const text = `DATABASES = {"default": env.db(), "old": {"NAME": env("OLD_DB_NAME", "x")},
      "third": env.db("THIRD_URL")}`;
    expect(variablesOf(text)).toMatchObject({ aliases: {}, missing: [{ name: 'THIRD_URL' }] });
  });

  it('is PostgreSQL where its engine is read without a default', () => {
    const text = 'if A:\n  X = 1\nelse:\n  DATABASES = {"default": {"ENGINE": env("ENGINE")}}';
    expect(variablesOf(text).constants).toEqual({ ENGINE: 'django.db.backends.postgresql' });
  });

  it('takes precedence over a committed file', () => {
    const committed = ['POSTGRES_SERVER', 'STRIPE_KEY'];
    const found = variablesOf('A = env("POSTGRES_SERVER")\nB = env("STRIPE_KEY")', [], {
      committed,
    });
    expect(found).toMatchObject({ aliases: { POSTGRES_SERVER: 'PGHOST' }, missing: [] });
  });

  it('counts only in DATABASES with Django, when it is optional', () => {
    const text = 'SYNC = env("SYNC_DB_URL", default="")\nDEV = os.environ.get("DEV_DATABASE_URL")';
    expect(variablesOf(text, [], { isDjango: true }).aliases).toEqual({});
    expect(variablesOf(text).aliases).toEqual({ SYNC_DB_URL: 'DATABASE_URL' });
  });

  it('is not one of another kind', () => {
    const { aliases, missing } = variablesOf('A = os.environ["MYSQL_DB_HOST"]');
    expect(aliases).toEqual({});
    expect(missing).toMatchObject([{ name: 'MYSQL_DB_HOST' }]);
  });
});

describe('what else the platform has', () => {
  it.each([
    ['A = os.environ.get("REDIS_SERVER")', { REDIS_SERVER: 'REDIS_HOST' }],
    ['A = os.environ.get("REDISCLOUD_URL")', { REDISCLOUD_URL: 'REDIS_URL' }],
    ['A = env("APP_BROKER_URL")', { APP_BROKER_URL: 'CELERY_BROKER_URL' }],
    ['SECRET_KEY = env("SHH")', { SHH: 'SECRET_KEY' }],
    ['A = env("DJANGO_SECRET_KEY")', { DJANGO_SECRET_KEY: 'SECRET_KEY' }],
    ['ALLOWED_HOSTS = env.list("NAMES")', { NAMES: 'TANDEM_HOSTS' }],
    ['A = env("SITE_URL")', { SITE_URL: 'TANDEM_URL' }],
    ['A = os.environ["SERVER_NAME"]', { SERVER_NAME: 'TANDEM_HOST' }],
  ])('%s', (text, aliases) => {
    expect(variablesOf(text).aliases).toEqual(aliases);
  });

  it('is given only where it is needed, when it could change what the project does', () => {
    expect(
      variablesOf('A = env("SITE_URL", default="x")\nD = env.bool("DEBUG", False)'),
    ).toMatchObject({
      aliases: {},
      constants: {},
    });
    expect(variablesOf('P = env.bool("IS_PRODUCTION")').constants).toEqual({
      IS_PRODUCTION: 'true',
    });
    expect(variablesOf('P = env("PRODUCTION")').constants).toEqual({});
    expect(variablesOf('D = env.bool("DEBUG")').constants).toEqual({ DEBUG: 'False' });
    expect(variablesOf('D = env("DJANGO_ENV")').constants).toEqual({ DJANGO_ENV: 'production' });
  });

  it('is not the key of a service, nor a server with a certificate', () => {
    const text = 'A = env("RECAPTCHA_SECRET_KEY")\nB = os.environ.get("REDIS_TLS_URL")';
    const { aliases, missing } = variablesOf(text);
    expect(aliases).toEqual({});
    expect(missing).toMatchObject([{ name: 'RECAPTCHA_SECRET_KEY' }]);
  });

  it('is no mail server, which the site can come up without', () => {
    const text =
      'A = env("EMAIL_HOST")\nB = config("EMAIL_HOST_PASSWORD")\nC = env("EMAIL_PORT", 587)';
    const { constants, missing } = variablesOf(text);
    expect(constants).toEqual({ EMAIL_HOST: 'localhost', EMAIL_HOST_PASSWORD: '' });
    expect(missing).toEqual([]);
  });

  it('does not override what is known', () => {
    expect(variablesOf('A = env("DB_HOST")', ['DB_HOST'])).toMatchObject({
      aliases: {},
      missing: [],
    });
  });
});

describe('a table of configurations', () => {
  it('is asked for the one for production', () => {
    const table = 'config = {"development": DevConfig, "production": ProductionConfig}';
    const reads = environmentReads(
      memoryTree({ 'app.py': "app = create_app(os.getenv('FLASK_CONFIG') or 'default')" }),
      ['app.py'],
    );
    const request = {
      reads,
      known: new Set<string>(),
      committed: new Set<string>(),
      isDjango: false,
    };
    const productionKey = productionKeyIn([table]);
    expect(detectVariables({ ...request, productionKey }).constants).toEqual({
      FLASK_CONFIG: 'production',
    });
    expect(detectVariables(request).constants).toEqual({});
  });

  it('is not any dictionary', () => {
    expect(productionKeyIn(['A = {"production": "x"}', 'B = {"production": f()}'])).toBeUndefined();
  });
});

it('names all that only the user can know', () => {
  const { missing, findings } = variablesOf(
    'A = env("STRIPE_KEY")\nB = os.environ["MAIL_TOKEN"]\nC = env("STRIPE_KEY")',
  );
  expect(missing.map(({ name }) => name)).toEqual(['STRIPE_KEY', 'MAIL_TOKEN']);
  expect(findings.map(({ value }) => value)).toEqual([
    'STRIPE_KEY is needed',
    'MAIL_TOKEN is needed',
  ]);
});
