// The environment of an app's processes. Later sources win: what the image asks for, what the
// platform hands out, what the user set.
import { aliasValues } from '../domain/aliases.ts';
import { asAllowedHost, isLocalHostname } from '../domain/hostname.ts';
import { LIMITS } from '../domain/limits.ts';
import type { BuiltImage } from '../domain/release.ts';

const BASE: Readonly<Record<string, string>> = {
  PATH: '/venv/bin:/opt/python/bin:/usr/local/bin:/usr/bin:/bin',
  HOME: '/home/app',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  PYTHONUNBUFFERED: '1',
  PYTHONDONTWRITEBYTECODE: '1',
  VIRTUAL_ENV: '/venv',
  SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt',
};

/** Names the platform owns; setting them would break the app in ways hard to see. */
export const RESERVED_KEYS: ReadonlySet<string> = new Set(['PORT', 'HOME', 'PATH', 'VIRTUAL_ENV']);

export interface EnvironmentSources {
  readonly appName: string;
  readonly release: number;
  readonly processName: string;
  readonly hostnames: readonly string[];
  /** Addresses of the app for browsers: `http://blog.localhost:8080`. */
  readonly urls: readonly string[];
  /** Those and others that it may be reached by. */
  readonly origins: readonly string[];
  /** The size of the process; our servers choose their number of workers by it. */
  readonly memoryBytes: number;
  readonly image: Pick<BuiltImage, 'env' | 'aliases'>;
  readonly secretKey: string;
  readonly services: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, string>>;
}

export function buildEnvironment(sources: EnvironmentSources): Record<string, string> {
  const { hostnames, urls, origins, image } = sources;
  const given = {
    ...BASE,
    ...platformValues(sources),
    ...sources.services,
    TANDEM_HOSTS: hostnames.map(asAllowedHost).join(','),
    TANDEM_ORIGINS: origins.join(','),
    TANDEM_URL: urls[0] ?? '',
    TANDEM_HOST: (urls[0] ?? '').replace(/^\w+:\/\//, ''),
  };
  return {
    ...given,
    ...aliasValues(image.aliases ?? {}, { ...given, ...sources.config }),
    ...image.env,
    ...sources.config,
    PORT: String(LIMITS.instance.port),
    TANDEM_APP: sources.appName,
    TANDEM_RELEASE: `v${sources.release}`,
    TANDEM_PROCESS: sources.processName,
    TANDEM_MEMORY_BYTES: String(sources.memoryBytes),
    TANDEM_HOSTS: given.TANDEM_HOSTS,
    TANDEM_ORIGINS: given.TANDEM_ORIGINS,
    TANDEM_URL: given.TANDEM_URL,
    TANDEM_HOST: given.TANDEM_HOST,
    TANDEM_PUBLIC: hostnames.every(isLocalHostname) ? '0' : '1',
  };
}

/** What the platform hands out beside service credentials; shown by `tandem config`. */
export function platformValues(sources: Pick<EnvironmentSources, 'secretKey'>): {
  SECRET_KEY: string;
} {
  return { SECRET_KEY: sources.secretKey };
}
