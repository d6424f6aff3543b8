// Values that the containers of a project set: for variables that it reads without a default and that
// nothing else gives. Only what holds anywhere: no secrets, no hosts of other containers, no paths
// inside of them, nothing meant for a developer or to be filled in.
import { interpolate } from './interpolation.ts';
import { under, type SourceTree } from '../source-tree.ts';
import type { ContainerValue } from './compose-file.ts';
import type { AppService, Containers } from './containers.ts';

export interface GivenValue {
  readonly value: string;
  /** `file:line` */
  readonly evidence: string;
}

const SECRET =
  /SECRET|PASS|PWD|TOKEN|KEY|CREDENTIAL|PRIVATE|SALT|AUTH|CERT|DSN|SIGNING|LICENSE|WEBHOOK/i;
const PLACE =
  /(^|_)(HOST|HOSTS|HOSTNAME|PORT|ADDR|ADDRESS|BIND|SERVER|DOMAIN|DOMAINS|PATH|DIR|FOLDER|ROOT|FILE|HOME|IP|SOCKET|BROKER|BACKEND|ORIGINS?|DATABASE|DB|USER|USERNAME)$|^(DB|DATABASE|POSTGRES|POSTGRESQL|PG|MYSQL|MARIADB|MONGO|REDIS|RABBITMQ|MINIO|ELASTIC\w*|KAFKA|MEMCACHED?)_?/i;
const FOR_DEVELOPMENT =
  /(^|_)(DEBUG|DEV|DEVELOPMENT|TEST|TESTS|TESTING|RELOAD|TOOLBAR|WATCH)(_|$)/i;
const DEVELOPMENT_VALUE =
  /(^|[._-])(dev|devel|development|develop|local|debug|test|tests|testing|ci|docker)$/i;
const TO_BE_FILLED_IN =
  /example|change[_-]?me|your[_-]|replace|todo|placeholder|dummy|fake|insert|<[^>]*>|x{3,}|\.{3}|^foo|^bar$|^(none|null|undefined)$/i;
const NO_PUBLIC_HOST =
  /^(localhost|host\.docker\.internal|\[|[\d.]+$)|\.(local|localhost|test|internal|lan)$/i;
const LENGTH_MAX = 200;

/** By name. What services of one project set differently is nobody's default. */
export function containerValues(
  tree: SourceTree,
  containers: Containers,
): ReadonlyMap<string, GivenValue> {
  const given = new Map<string, GivenValue>();
  const unclear = new Set<string>();
  const services = webServices(containers);
  for (const service of services) {
    const own = new Map(valuesOf(tree, service).map((one) => [one.name, one]));
    for (const [name, one] of own) {
      const known = given.get(name);
      if (known !== undefined && known.value !== one.value) unclear.add(name);
      // A value set from outside hides the image's.
      if (!isDefault(one, containers.hosts)) unclear.add(name);
      else if (known === undefined) given.set(name, one);
    }
  }
  const image = containers.image?.isForDevelopment === true ? [] : (containers.image?.values ?? []);
  for (const one of image) {
    if (!given.has(one.name) && isDefault(one, containers.hosts)) given.set(one.name, one);
  }
  for (const name of unclear) given.delete(name);
  return given;
}

/** Those that people reach; without any that can be told, all. */
function webServices({ services }: Containers): AppService[] {
  const usable = services.filter((one) => !one.isForDevelopment && !one.service.hasProfiles);
  const web = usable.filter(({ hasPorts }) => hasPorts);
  return web.length > 0 ? web : usable;
}

function valuesOf(tree: SourceTree, { service }: AppService): ContainerValue[] {
  return [...service.envFiles.flatMap((path) => fileValues(tree, path)), ...service.environment];
}

/** Only what is committed is in the source. */
function fileValues(tree: SourceTree, path: string): ContainerValue[] {
  if (isExample(path)) return [];
  return (tree.read(path) ?? '').split(/\r?\n/).flatMap((line, index) => {
    const [, name, value = ''] =
      /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) return [];
    const plain = /^(["'])(.*)\1/.exec(value)?.[2] ?? value.replace(/\s+#.*$/, '');
    return [{ name, ...fixed(plain), evidence: `${path}:${index + 1}` }];
  });
}

function fixed(text: string): Pick<ContainerValue, 'value' | 'isFixed'> {
  const { text: value, isFixed } = interpolate(text);
  return { value, isFixed };
}

function isExample(path: string): boolean {
  return under('', path)
    .split(/[./_-]/)
    .some((word) => /^(examples?|samples?|template|dist|dev|development|local|test)$/i.test(word));
}

export function isDefault(
  { name, value, isFixed }: Pick<ContainerValue, 'name' | 'value' | 'isFixed'>,
  hosts: ReadonlySet<string>,
): boolean {
  if (!isFixed || value.trim() === '' || value.length > LENGTH_MAX || /[\r\n]/.test(value))
    return false;
  if (SECRET.test(name) || PLACE.test(name) || FOR_DEVELOPMENT.test(name)) return false;
  if (/PORT$/i.test(name) && /^\d+$/.test(value)) return false;
  if (DEVELOPMENT_VALUE.test(value) || TO_BE_FILLED_IN.test(value) || value.startsWith('/'))
    return false;
  if (NO_PUBLIC_HOST.test(value) && /[a-z]|\d\./i.test(value)) return false;
  return hostsIn(value).every((host) => isPublic(host, hosts)) && !hosts.has(value.toLowerCase());
}

/** `https://user@HOST:1/x`, `HOST:6379`, `person@HOST`. */
function hostsIn(value: string): string[] {
  const urls = [...value.matchAll(/\w+:\/\/(?:[^@/\s]*@)?(\[[^\]]*\]?|[^/:\s,;]*)/g)].map(
    ([, host = '']) => host,
  );
  const ports = [...value.matchAll(/(?:^|[\s,;@])([A-Za-z][\w.-]*|[\d.]{7,}):\d+\b/g)].map(
    ([, host = '']) => host,
  );
  const mails = [...value.matchAll(/@([\w.-]+)/g)].map(([, host = '']) => host);
  return [...urls, ...ports, ...mails];
}

function isPublic(host: string, hosts: ReadonlySet<string>): boolean {
  return host.includes('.') && !hosts.has(host) && !NO_PUBLIC_HOST.test(host);
}
