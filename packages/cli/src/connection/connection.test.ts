import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contextsFile, readContexts, writeContexts, type Contexts } from './contexts.ts';
import { chooseDestination } from './destination.ts';
import { formatSshUrl, parseSshUrl } from './ssh-url.ts';

describe('the destination', () => {
  const contexts: Contexts = {
    current: 'prod',
    contexts: {
      prod: { url: 'ssh://root@a', installation: 'default' },
      lab: { url: 'ssh://root@b', installation: 'lab' },
    },
  };
  const choose = (given: {
    on?: string;
    installation?: string;
    env?: NodeJS.ProcessEnv;
    linkOn?: string;
    contexts?: Contexts;
  }) =>
    chooseDestination({
      on: given.on,
      installation: given.installation,
      env: given.env ?? {},
      linkOn: given.linkOn,
      contexts: given.contexts ?? contexts,
    });

  it('is this machine when nothing is known', () => {
    expect(choose({ contexts: { contexts: {} } })).toEqual({
      kind: 'socket',
      name: 'this machine',
      socketPath: '/run/tandem/default/control.sock',
    });
  });

  it('goes by flags, then variables, then link, then login', () => {
    const env = { TANDEM_SOCKET: '/s', TANDEM_ON: 'lab', TANDEM_INSTALLATION: 'x' };
    expect(choose({ on: 'lab', env, linkOn: 'prod' }).name).toBe('lab');
    expect(choose({ installation: 'y', env }).socketPath).toBe('/run/tandem/y/control.sock');
    expect(choose({ env }).socketPath).toBe('/s');
    expect(choose({ env: { TANDEM_ON: 'lab' } }).name).toBe('lab');
    expect(choose({ env: { TANDEM_INSTALLATION: 'x' } }).name).toBe('x');
    expect(choose({ linkOn: 'lab' }).name).toBe('lab');
    expect(choose({}).name).toBe('prod');
    expect(choose({ on: 'local' }).kind).toBe('socket');
  });

  it('takes the installation of the context, or another one there', () => {
    expect(choose({ on: 'lab' }).socketPath).toBe('/run/tandem/lab/control.sock');
    expect(choose({ on: 'lab', installation: 'z' }).socketPath).toBe('/run/tandem/z/control.sock');
  });

  it('names the contexts there are when it knows none of that name', () => {
    expect(() => choose({ on: 'nowhere' })).toThrow('known: local, prod, lab');
  });

  it.each(['..', '../x', 'a/b', '', '-x'])('refuses the installation %j', (installation) => {
    expect(() => choose({ installation })).toThrow('cannot be the name');
  });
});

describe('ssh addresses', () => {
  it.each([
    ['ssh://root@host', { user: 'root', host: 'host', port: undefined }],
    ['ssh://host:2222/', { user: undefined, host: 'host', port: 2222 }],
    ['ssh://a.b@203.0.113.7', { user: 'a.b', host: '203.0.113.7', port: undefined }],
    ['ssh://root@[fd00::1]:22', { user: 'root', host: 'fd00::1', port: 22 }],
  ])('%s', (url, target) => {
    expect(parseSshUrl(url)).toEqual(target);
    expect(parseSshUrl(formatSshUrl(target))).toEqual(target);
  });

  it.each([
    'root@host',
    'https://host',
    'ssh://',
    'ssh://-oProxyCommand=x',
    'ssh://-l@host',
    'ssh://root@-x',
    'ssh://host:0',
    'ssh://host:99999',
    'ssh://host/path',
    'ssh://ho st',
    'ssh://a@b@c',
  ])('refuses %s', (url) => expect(() => parseSshUrl(url)).toThrow('not an address'));
});

describe('contexts', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tandem-contexts-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('are kept for the user alone', async () => {
    const file = contextsFile({ XDG_CONFIG_HOME: directory });
    expect(file).toBe(join(directory, 'tandem', 'contexts.json'));
    expect(await readContexts(file)).toEqual({ contexts: {} });
    const stored = { current: 'a', contexts: { a: { url: 'ssh://a', installation: 'default' } } };
    await writeContexts(file, stored);
    expect(await readContexts(file)).toEqual(stored);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('that cannot be read are named', async () => {
    const file = join(directory, 'contexts.json');
    await writeFile(file, '{"contexts":7}');
    await expect(readContexts(file)).rejects.toMatchObject({ where: file });
  });

  it('lie in ~/.config by default', () => {
    expect(contextsFile({ HOME: '/home/ada' })).toBe('/home/ada/.config/tandem/contexts.json');
  });
});
