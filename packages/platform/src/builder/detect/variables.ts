// Variables of the environment that a project reads under names of its own, and what the platform
// has for them: the app's database, Redis, secret key and hosts.
import type { Finding } from '../../domain/release.ts';
import type { GivenValue } from './containers/container-variables.ts';
import type { EnvironmentRead } from './environment-reads.ts';
import { finding } from './evidence.ts';

export interface Variables {
  /** Name that the project reads -> variable of the platform with the value. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Values that do not depend on the app. */
  readonly constants: Readonly<Record<string, string>>;
  /** What only the user can know. */
  readonly missing: readonly EnvironmentRead[];
  readonly findings: readonly Finding[];
}

/** One whose value follows from something else than how it is read. */
export interface GivenVariable {
  readonly name: string;
  readonly value: string;
  readonly why: string;
}

export interface VariablesRequest {
  readonly given?: readonly GivenVariable[];
  /** In the scheme of the URL of the database, where the project's library wants one. */
  readonly databaseDriver?: string | undefined;
  readonly reads: readonly EnvironmentRead[];
  /** Names that have a value anyway: handed out by the platform, set by the user. */
  readonly known: ReadonlySet<string>;
  /** Names that a committed file gives a value, which the environment overrides. */
  readonly committed: ReadonlySet<string>;
  /** With Django a database counts where DATABASES names it: other readers want other things. */
  readonly isDjango: boolean;
  /** What the project's containers set, for those that nothing else gives. */
  readonly contained?: ReadonlyMap<string, GivenValue>;
  /** Key of a table of configurations by stage, where the project has one. */
  readonly productionKey?: string | undefined;
}

interface Source {
  readonly from?: string;
  readonly value?: string;
  readonly why: string;
  /** Only where the project cannot do without. */
  readonly onlyRequired?: boolean;
}

const DATABASE_KEYS: Readonly<Record<string, string>> = {
  NAME: 'PGDATABASE',
  USER: 'PGUSER',
  PASSWORD: 'PGPASSWORD',
  HOST: 'PGHOST',
  PORT: 'PGPORT',
};
const DATABASE = String.raw`(?:DATABASE|DB|POSTGRES|POSTGRESQL|PG|PSQL|SQL|RDS)`;
/** Of projects that have a second URL, with an asynchronous driver, beside the plain one. */
const ASYNC_URL = new RegExp(`(^|_)(${DATABASE}_ASYNC|ASYNC_${DATABASE})_?(URL|URI|DSN)$`);
/** Last parts of names, by what the platform has for them. */
const DATABASE_NAMES: readonly (readonly [RegExp, string])[] = [
  [
    new RegExp(
      `(^|_)${DATABASE}_?(SYNC_)?(URL|URI|DSN)$|${ASYNC_URL.source}|^SQLALCHEMY_DATABASE_UR[IL]$`,
    ),
    'DATABASE_URL',
  ],
  [new RegExp(`(^|_)${DATABASE}_?(HOST|HOSTNAME|SERVER|ADDR)$`), 'PGHOST'],
  [new RegExp(`(^|_)${DATABASE}_?PORT$`), 'PGPORT'],
  [new RegExp(`(^|_)${DATABASE}_?(USER|USERNAME)$`), 'PGUSER'],
  [new RegExp(`(^|_)${DATABASE}_?(PASSWORD|PASS|PASSWD|PW|PWD)$`), 'PGPASSWORD'],
  [new RegExp(`(^|_)${DATABASE}_?(NAME|DB|DATABASE|DBNAME|DB_NAME)$`), 'PGDATABASE'],
];
const REDIS_NAMES: readonly (readonly [RegExp, string])[] = [
  [/(^|_)(CELERY_)?BROKER(_URL|_URI)?$/, 'CELERY_BROKER_URL'],
  [/(^|_)(CELERY_)?RESULT_BACKEND(_URL)?$|^CELERY_BACKEND(_URL)?$/, 'CELERY_RESULT_BACKEND'],
  [/(^|_)(REDIS|REDISCLOUD|REDISTOGO|VALKEY)\w*_?(URL|URI|DSN)$|^CHANNEL_REDIS$/, 'REDIS_URL'],
  [/(^|_)REDIS\w*?_?(HOST|HOSTNAME|SERVER|ADDR)$/, 'REDIS_HOST'],
  [/(^|_)REDIS\w*?_?PORT$/, 'REDIS_PORT'],
  [/(^|_)REDIS\w*?_?(PASSWORD|PASS|AUTH)$/, 'REDIS_PASSWORD'],
];
const POSTGRESQL_ENGINE = 'django.db.backends.postgresql';
const OTHER_DATABASE = /MYSQL|MARIADB|ORACLE|MONGO|MSSQL|ELASTIC|SQLITE/;
/** Without the name of a service before it: that one's key is not ours to make. */
const SECRET =
  /^((DJANGO|FLASK|FASTAPI|APP|APPLICATION|SITE|PROJECT|WEB|SESSION|JWT|COOKIE|TOKEN)_)?(SECRET_KEY|SECRET_KEY_BASE|SECRET|SIGNING_KEY|PASSWORD_SALT|CSRF_SECRET)$/;
/** Mail: the site comes up, and sends none until it is told by which server. */
const MAIL_NAMES: readonly (readonly [RegExp, string])[] = [
  [
    /^(DJANGO_)?(EMAIL_HOST|SMTP_HOST|SMTP_SERVER|MAIL_SERVER|EMAIL_SERVER|MAIL_HOST)$/,
    'localhost',
  ],
  [/^(DJANGO_)?(EMAIL|SMTP|MAIL)_(HOST_)?PORT$/, '25'],
  [/^(DJANGO_)?(EMAIL|SMTP|MAIL)_(HOST_)?(USER|USERNAME|PASSWORD|PASS)$/, ''],
  [/^(DJANGO_)?(EMAIL|SMTP|MAIL)_(USE_)?(TLS|SSL|STARTTLS|SSL_TLS)$/, 'False'],
  [
    /^(DJANGO_)?(DEFAULT_FROM_EMAIL|SERVER_EMAIL|MAIL_DEFAULT_SENDER|EMAIL_FROM|MAIL_FROM)$/,
    'webmaster@localhost',
  ],
];
const OWN_HOST =
  /^((APP|SITE|DJANGO|FLASK|PROJECT|WEB|BASE|SERVER|PUBLIC)_)?(SERVER_NAME|DOMAIN|DOMAIN_NAME|FQDN)$/;
const OWN_URL =
  /^(\w+_)?(SITE|BASE|APP|PUBLIC|SERVER|ROOT|EXTERNAL|FRONTEND|BACKEND|HOST)_(URL|URI|ORIGIN)$/;
/** Names of the variable by which Flask projects choose one of their configurations. */
const CONFIGURATION =
  /^((FLASK|APP|APPLICATION)_)?(CONFIG|CONFIG_NAME|CONFIGURATION|CONFIG_MODE|ENV|ENVIRONMENT|SETTINGS)$/;
const PRODUCTION_ENTRY = /["'](production|prod)["']\s*:\s*[A-Za-z_]\w*\b(?!\s*\()/;
const PRODUCTION_FLAG = /^(\w+_)?(IS_)?PRODUCTION$/;
const STAGE = /^((APP|DJANGO|FLASK|FASTAPI|PROJECT)_)?(ENV|ENVIRONMENT|STAGE)$/;

export function detectVariables(request: VariablesRequest): Variables {
  const { known, committed } = request;
  const reads = request.isDjango ? request.reads.filter(isPlaced) : request.reads;
  const aliases: Record<string, string> = {};
  const constants: Record<string, string> = {};
  const missing: EnvironmentRead[] = [];
  const findings: Finding[] = [];
  const { databaseDriver } = request;
  const hasTwo = reads.some(({ name }) => ASYNC_URL.test(name));
  const schemeOf = (name: string, from: string): string => {
    const isWanted = databaseDriver && from === 'DATABASE_URL' && (!hasTwo || ASYNC_URL.test(name));
    return isWanted ? `+${databaseDriver}` : '';
  };
  if (schemeOf('DATABASE_URL', 'DATABASE_URL') !== '') {
    aliases['DATABASE_URL'] = `DATABASE_URL+${databaseDriver}`;
  }
  for (const { name, value, why } of request.given ?? []) {
    if (known.has(name)) continue;
    constants[name] = value;
    findings.push(finding('variable', `${name} = ${value}`, why));
  }
  for (const { read, required, bare } of byName(reads)) {
    if (known.has(read.name) || constants[read.name] !== undefined) continue;
    if (request.productionKey !== undefined && CONFIGURATION.test(read.name)) {
      constants[read.name] = request.productionKey;
      const value = `${read.name} = ${request.productionKey}`;
      findings.push(
        finding('variable', value, 'it has a configuration of that name', read.evidence),
      );
      continue;
    }
    const source = sourceOf(read);
    if (source?.from === read.name) continue;
    const isWanted = source?.onlyRequired !== true || (bare && !committed.has(read.name));
    if (source === undefined || !isWanted) {
      const value = request.contained?.get(read.name);
      if (required && value !== undefined) {
        constants[read.name] = value.value;
        findings.push(isContained(read, value));
      } else if (required && !committed.has(read.name)) missing.push(read);
      continue;
    }
    if (source.from !== undefined) {
      aliases[read.name] = source.from + schemeOf(read.name, source.from);
    } else constants[read.name] = source.value ?? '';
    const value = `${read.name} = ${source.from ?? source.value}`;
    findings.push(finding('variable', value, source.why, read.evidence));
  }
  return { aliases, constants, missing, findings: [...findings, ...missing.map(isMissing)] };
}

/** One entry for each name; the read that says most of it, and whether any needs it. */
function byName(reads: readonly EnvironmentRead[]) {
  const names = [...new Set(reads.map(({ name }) => name))];
  return names.flatMap((name) => {
    const all = reads.filter((one) => one.name === name);
    const read = all.find((one) => sourceOf(one) !== undefined) ?? all.find((one) => one.required);
    const [first] = all;
    const chosen = read ?? first;
    if (chosen === undefined) return [];
    const some = (of: 'required' | 'bare') => all.some((one) => one[of]);
    return [{ read: chosen, required: some('required'), bare: some('bare') }];
  });
}

function sourceOf(read: EnvironmentRead): Source | undefined {
  return databaseSource(read) ?? redisSource(read) ?? otherSource(read);
}

function databaseSource({
  name,
  target,
  setting,
  cast,
  path,
}: EnvironmentRead): Source | undefined {
  const why = "the app's database";
  const isOther = path.length > 0 && path[0] !== 'default' && setting === 'DATABASES';
  if (OTHER_DATABASE.test(name) || /^(DEV|TEST|TESTING)_/.test(name) || isOther) return undefined;
  if (/^(DATABASES?|DB)$/.test(setting)) {
    const key = DATABASE_KEYS[target ?? ''];
    if (key !== undefined) return { from: key, why };
    if (target === 'ENGINE') return { value: POSTGRESQL_ENGINE, why, onlyRequired: true };
  }
  if (cast === 'db' || cast === 'db_url') return { from: 'DATABASE_URL', why };
  const from = DATABASE_NAMES.find(([pattern]) => pattern.test(name))?.[1];
  return from === undefined ? undefined : { from, why };
}

/** Not an optional database outside of DATABASES. */
function isPlaced(read: EnvironmentRead): boolean {
  return read.bare || read.setting === 'DATABASES' || databaseSource(read) === undefined;
}

function redisSource({ name }: EnvironmentRead): Source | undefined {
  // Theirs is the way to a server with a certificate.
  if (/TLS|SSL|CERT/.test(name)) return undefined;
  const from = REDIS_NAMES.find(([pattern]) => pattern.test(name))?.[1];
  return from === undefined ? undefined : { from, why: "the app's Redis" };
}

function otherSource({ name, setting, cast }: EnvironmentRead): Source | undefined {
  if (SECRET.test(name) || setting === 'SECRET_KEY') {
    return { from: 'SECRET_KEY', why: 'generated once per app' };
  }
  const onlyRequired = true;
  if (setting === 'ALLOWED_HOSTS' || /ALLOWED_HOSTS?$/.test(name)) {
    return { from: 'TANDEM_HOSTS', why: "the app's hosts", onlyRequired };
  }
  if (/^(CSRF_TRUSTED|CORS_ALLOWED|CORS)_ORIGINS?(_WHITELIST)?$/.test(setting)) {
    return { from: 'TANDEM_ORIGINS', why: "the app's own addresses", onlyRequired };
  }
  if (OWN_HOST.test(name)) return { from: 'TANDEM_HOST', why: "the app's host", onlyRequired };
  if (OWN_URL.test(name)) return { from: 'TANDEM_URL', why: "the app's address", onlyRequired };
  if (/(^|_)DEBUG$/.test(name))
    return { value: 'False', why: 'read without a default', onlyRequired };
  if (PRODUCTION_FLAG.test(name) && cast === 'bool') {
    return { value: 'true', why: 'read without a default', onlyRequired };
  }
  const mail = MAIL_NAMES.find(([pattern]) => pattern.test(name))?.[1];
  if (mail !== undefined) {
    return {
      value: mail,
      why: `no mail is sent until: tandem config set ${name}=...`,
      onlyRequired,
    };
  }
  if (STAGE.test(name)) return { value: 'production', why: 'read without a default', onlyRequired };
  return undefined;
}

function isContained({ name, evidence }: EnvironmentRead, given: GivenValue): Finding {
  const why = `read without a default (${evidence}); so its containers set it`;
  return finding('variable', `${name} = ${given.value}`, why, given.evidence, 'likely');
}

function isMissing({ name, evidence }: EnvironmentRead): Finding {
  return finding('variable', `${name} is needed`, `tandem config set ${name}=...`, evidence);
}

/** `config = {"development": DevelopmentConfig, "production": ProductionConfig}` */
export function productionKeyIn(texts: readonly string[]): string | undefined {
  return texts.map((text) => PRODUCTION_ENTRY.exec(text)?.[1]).find((key) => key !== undefined);
}
