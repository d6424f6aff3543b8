// A connection that nobody answered: in a build there is no network, in a process the address is
// often that of the developer's own machine.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { dumpedStack, lastTraceback, projectWhere, type Traceback } from './traceback.ts';

interface Service {
  readonly says: RegExp;
  readonly name: string;
  /** Variables that projects read its address from. */
  readonly variable: string;
}

const SERVICES: readonly Service[] = [
  { says: /redis|:6379\b/i, name: 'Redis', variable: 'REDIS_URL' },
  { says: /amqp|rabbit|:5672\b/i, name: 'RabbitMQ', variable: 'CELERY_BROKER_URL' },
  { says: /psycopg|postgres|port 5432|asyncpg/i, name: 'PostgreSQL', variable: 'DATABASE_URL' },
  { says: /mysql|mariadb|:3306\b/i, name: 'MySQL', variable: 'DATABASE_URL' },
  { says: /mongo|:27017\b/i, name: 'MongoDB', variable: 'MONGODB_URI' },
  { says: /elastic|opensearch|:9200\b/i, name: 'Elasticsearch', variable: 'ELASTICSEARCH_URL' },
  { says: /memcache|:11211\b/i, name: 'memcached', variable: 'CACHE_URL' },
  { says: /kafka|:9092\b/i, name: 'Kafka', variable: 'KAFKA_BOOTSTRAP_SERVERS' },
  { says: /smtp|:25\b|:587\b/i, name: 'the mail server', variable: 'EMAIL_HOST' },
];
const REFUSED =
  /Connection refused|Name or service not known|Temporary failure in name resolution|nodename nor servname|No address associated with hostname|Network is unreachable|No route to host|could not translate host name|failed to resolve host|Can't connect to (?:(?:local )?MySQL )?server|NameResolutionError|ServerSelectionTimeoutError|Cannot assign requested address|timed out/i;
const TYPES =
  /Connection|Timeout|Unreachable|gaierror|URLError|OperationalError|InterfaceError|NoBrokersAvailable|ServerSelection|MaxRetry|SSLError|ConnectError|Endpoint/;
/** What Celery says each time it tries again; no traceback. */
const CELERY = /consumer: Cannot connect to (\S+): ([^\n]+)/;
const HOST = [
  /host='([^']+)'/,
  /connecting to ([\w.-]+:\d+)/,
  /server at "([^"]+)"/,
  /host name "([^"]+)"/,
  /resolve host '([^']+)'/,
  /\bserver on '([^']+)'/,
  /Cannot connect to host ([\w.-]+)/,
  /\w+:\/\/(?:[^@\s/]*@)?([\w.-]+(?::\d+)?)/,
  /^([\w.-]+:\d+): \[Errno/,
];

export function unreachableService(input: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(input.logTail);
  const celery = CELERY.exec(input.logTail);
  if (traceback !== undefined && isUnreachable(traceback)) return explain(input, traceback);
  if (celery === null) return undefined;
  const said = celery[0];
  return { ...service(`${celery[1]} ${celery[2]}`, undefined), said };
}

function isUnreachable({ type, message }: Traceback): boolean {
  return TYPES.test(type) && (REFUSED.test(message) || REFUSED.test(type));
}

function explain(input: DiagnosisInput, traceback: Traceback): Cause {
  const where = projectWhere(traceback);
  const evidence = `${traceback.frames.map(({ file }) => file).join(' ')} ${traceback.message}`;
  if (input.phase !== 'build') return service(evidence, where, traceback.message);
  const host = hostIn(traceback.message);
  return {
    code: 'NETWORK_AT_IMPORT',
    message: `The project connects${host ? ` to ${host}` : ''} while it is imported; a build has no network.`,
    where: where ?? stackPlace(input.logTail),
    hint: 'connect inside the function that needs it, at its first use, not at the top of a module',
  };
}

function stackPlace(log: string): string | undefined {
  const stack = dumpedStack(log);
  return stack && projectWhere(stack);
}

function service(evidence: string, where: string | undefined, message = evidence): Cause {
  const known = SERVICES.find(({ says }) => says.test(evidence));
  const host = hostIn(message);
  const at = host === undefined ? '' : ` at ${host}`;
  const name = known?.name ?? 'A service';
  const variable = known?.variable ?? 'NAME_URL';
  return {
    code: 'SERVICE_UNREACHABLE',
    message: `${name}${at} does not answer.`,
    where,
    hint: `let the project read the address from ${variable}, which: tandem config shows\nor set your own: tandem config set ${variable}=...`,
  };
}

function hostIn(message: string): string | undefined {
  return HOST.map((pattern) => pattern.exec(message)?.[1]).find(Boolean);
}
