// What the composition root needs of this kind of service.
export { AppRedis, REDIS_HOSTNAME } from './redis.ts';
export type { RedisCredentials } from './credentials.ts';
