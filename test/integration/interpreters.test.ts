// Interpreter layers on the real stack: what a sandbox would see, in a mount namespace of its own.
import { access, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureInterpreterLayer } from '../../packages/platform/src/adapters/interpreters/ensure-interpreter-layer.ts';
import { listInterpreters } from '../../packages/platform/src/adapters/interpreters/list-interpreters.ts';
import { createSquashfsImageStore } from '../../packages/platform/src/adapters/squashfs/squashfs-image-store.ts';
import { ensureStack } from '../../packages/platform/src/adapters/stacks/ensure-stack.ts';
import { STACK_FACTS } from '../../packages/platform/src/adapters/stacks/recipe.ts';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';
import type { ImageStore, LayerRef } from '../../packages/platform/src/ports/image-store.ts';

const home = homedir();
const search = {
  pyenvRoots: [process.env['PYENV_ROOT'] ?? join(home, '.pyenv')],
  uvRoots: [join(home, '.local/share/uv/python')],
  stack: STACK_FACTS,
};
const MODULES =
  'ssl sqlite3 ctypes lzma bz2 zlib readline uuid decimal _decimal hashlib curses venv';
const IMAGE_BYTES_MAX = 25_000_000;

const known = await listInterpreters(search);
const installed = known.filter(({ source }) => source !== 'stack').map(({ version }) => version);
const tested = process.env['TANDEM_TEST_ALL'] === '1' ? installed : installed.slice(0, 1);

describe('interpreters', () => {
  let directory: string;
  let store: ImageStore;
  let stack: LayerRef;

  beforeAll(async () => {
    directory = await mkdtemp('/var/tmp/tandem-interpreters-');
    const [files, mounts] = [join(directory, 'files'), join(directory, 'mounts')];
    store = createSquashfsImageStore({ files, mounts });
    const { file, sha256 } = await ensureStack('base', {
      cacheDirectory: '/var/cache/tandem/stacks',
    });
    stack = await store.admit(file, sha256);
  });
  afterAll(async () => {
    for (const sha256 of await store.mounted()) await store.unmount(sha256);
    await rm(directory, { recursive: true });
  });

  const layerOf = (version: string) =>
    ensureInterpreterLayer(version, {
      imageStore: store,
      search,
      workDirectory: join(directory, 'work'),
    });

  /** Runs a program with the stack and a layer as its root; the mount goes with the process. */
  async function runInside(layers: readonly LayerRef[], argv: readonly string[]): Promise<string> {
    const points = await Promise.all(layers.map(({ sha256 }) => store.mount(sha256)));
    const root = join(directory, 'root');
    await mkdir(root, { recursive: true });
    // The loader finds $ORIGIN through /proc.
    const program =
      'mount -t overlay -o "ro,lowerdir=$1" tandem "$2"; shift; mount -t proc proc "$1/proc"; exec chroot "$@"';
    const lower = points.length > 1 ? points.join(':') : `${root}:${points[0]}`;
    const { stdout } = await runCommand(
      ['unshare', '--mount', 'sh', '-euc', program, 'sh', lower, root, ...argv],
      { timeoutMs: 60_000 },
    );
    return stdout.trim();
  }

  const check = `import sys, ${MODULES.replaceAll(' ', ', ')}; print(sys.version.split()[0], sys.prefix)`;

  it('has the Python of the stack without a layer', async () => {
    expect(await layerOf(STACK_FACTS.pythonVersion)).toBeUndefined();
    const said = await runInside([stack], ['/usr/bin/python3', '-c', check]);
    expect(said).toBe(`${STACK_FACTS.pythonVersion} /usr`);
  });

  describe.each(tested)('Python %s', (version) => {
    it('runs at /opt/python of the stack with the modules that projects need', async () => {
      const layer = await layerOf(version);
      if (layer === undefined) throw new Error('no layer');
      const said = await runInside([layer, stack], ['/opt/python/bin/python3', '-c', check]);
      expect(said).toBe(`${version} /opt/python`);
      expect(layer.sizeBytes).toBeLessThan(IMAGE_BYTES_MAX);
    });

    it('finds its bytecode valid and carries nothing of the machine', async () => {
      const layer = await layerOf(version);
      const root = join(await store.mount(layer?.sha256 ?? ''), 'opt/python');
      const library = join(root, 'lib', `python${version.replace(/\.\d+$/, '')}`);
      expect(await readdir(join(library, 'site-packages'))).toEqual([]);
      await expect(access(join(library, 'test'))).rejects.toThrow();
      const program = 'import json, sysconfig; print(json.__cached__, sysconfig.get_config_vars())';
      const argv = ['/opt/python/bin/python3', '-v', '-c', program];
      if (layer === undefined) throw new Error('no layer');
      const said = await runInside([layer, stack], argv);
      expect(said.startsWith('/opt/python/lib')).toBe(true);
      expect(said.includes('/versions/') || said.includes('/uv/')).toBe(false);
    });

    it('is packed once, also when asked for at the same time', async () => {
      const layers = await Promise.all([layerOf(version), layerOf(version)]);
      expect(layers[0]).toEqual(layers[1]);
      expect(await readdir(join(directory, 'work'))).toEqual([]);
    });
  });

  it('says which versions there are instead of one that is not', async () => {
    await expect(layerOf('3.99.0')).rejects.toMatchObject({ code: 'PYTHON_UNAVAILABLE' });
    await expect(layerOf('3.99.0')).rejects.toHaveProperty('hint', expect.stringContaining('3.11'));
  });
});
