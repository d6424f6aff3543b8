// The names under which real projects look for Redis. One list for what an attached app gets and for
// the stand-ins of its build.

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly password?: string;
}

/** `cache.clear()` of Django empties a database: the cache has one of its own beside the queues. */
const QUEUE_DATABASE = 0;
const CACHE_DATABASE = 1;

export function redisEnvironment(address: RedisAddress): Record<string, string> {
  const queues = redisUrl(address, QUEUE_DATABASE);
  const cache = redisUrl(address, CACHE_DATABASE);
  return {
    REDIS_URL: queues,
    REDIS_HOST: address.host,
    REDIS_PORT: String(address.port),
    REDIS_PASSWORD: address.password ?? '',
    REDIS_DB: String(QUEUE_DATABASE),
    CELERY_BROKER_URL: queues,
    CELERY_RESULT_BACKEND: queues,
    BROKER_URL: queues,
    RQ_REDIS_URL: queues,
    CHANNEL_REDIS_URL: queues,
    CACHE_URL: cache,
    REDIS_CACHE_URL: cache,
  };
}

/** Without a user name: old clients know none, and the password alone opens the default user. */
function redisUrl({ host, port, password }: RedisAddress, database: number): string {
  const login = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  return `redis://${login}${host}:${port}/${database}`;
}
