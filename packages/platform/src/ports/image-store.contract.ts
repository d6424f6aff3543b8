// What every ImageStore must do, run against each adapter. `connect` gives one more store on the
// same directories, as another agent on this node would have.
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ImageStore, LayerRef } from './image-store.ts';

export interface ImageStoreUnderTest {
  connect(): ImageStore;
  /** Unmounts and deletes all of it. */
  remove(): Promise<void>;
}

const key = (text: string): string => createHash('sha256').update(text).digest('hex');
const ABSENT = key('a layer nobody packed');

export function imageStoreContract(name: string, open: () => Promise<ImageStoreUnderTest>): void {
  describe(`${name} as ImageStore`, () => {
    let subject: ImageStoreUnderTest;
    let store: ImageStore;
    let work: string;

    beforeEach(async () => {
      subject = await open();
      store = subject.connect();
      work = await mkdtemp(join(tmpdir(), 'tandem-trees-'));
    });
    afterEach(async () => {
      await subject.remove();
      await rm(work, { recursive: true });
    });

    /** Writes files under a new directory; a value is the content. */
    async function tree(files: Readonly<Record<string, string>>): Promise<string> {
      const directory = await mkdtemp(join(work, 'tree-'));
      for (const [path, content] of Object.entries(files)) {
        await mkdir(join(directory, path, '..'), { recursive: true });
        await writeFile(join(directory, path), content);
      }
      return directory;
    }

    async function mountedTree(layer: LayerRef): Promise<(path: string) => string> {
      const root = await store.mount(layer.sha256);
      return (path) => join(root, path);
    }

    describe('pack', () => {
      it('names an image by the hash of its bytes and says its size', async () => {
        const layer = await store.pack(await tree({ 'a.txt': 'a' }));
        expect(layer.sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(layer.sizeBytes).toBeGreaterThan(0);
        expect(await store.list()).toEqual([layer]);
        expect(await store.has(layer.sha256)).toBe(true);
      });

      it('gives equal trees one layer, whenever and by whomever they are packed', async () => {
        const [one, other] = [
          await tree({ 'd/a': '1', b: '2' }),
          await tree({ b: '2', 'd/a': '1' }),
        ];
        await utimes(join(other, 'b'), 1, 1);
        const layers = await Promise.all(
          [one, other, one].map((directory) => subject.connect().pack(directory)),
        );
        expect(new Set(layers.map(({ sha256 }) => sha256)).size).toBe(1);
        expect(await store.list()).toHaveLength(1);
      });

      it('gives different trees different layers', async () => {
        const one = await store.pack(await tree({ a: '1' }));
        const other = await store.pack(await tree({ a: '2' }));
        expect(one.sha256).not.toBe(other.sha256);
      });

      it('leaves out what is excluded, literally', async () => {
        const names = [
          'keep',
          '*',
          'a b',
          '.venv/x',
          'd/[ab]',
          'd/a',
          '... k',
          '!(d)',
          'back\\slash',
        ];
        const directory = await tree(Object.fromEntries(names.map((file) => [file, ''])));
        const exclude = ['*', 'a b', '.venv', 'd/[ab]', '... k', '!(d)', 'back\\slash', 'missing'];
        for (const prefix of ['', '/app']) {
          const at = await mountedTree(await store.pack(directory, { exclude, prefix }));
          expect((await readdir(at(prefix))).sort()).toEqual(['d', 'keep']);
          expect(await readdir(at(`${prefix}/d`))).toEqual(['a']);
        }
      });

      it('puts everything below a prefix, which is open to all', async () => {
        const directory = await tree({ 'main.py': 'x' });
        await chmod(directory, 0o700);
        const at = await mountedTree(
          await store.pack(directory, { prefix: '/opt/tandem/overlay' }),
        );
        expect(await readdir(at('/'))).toEqual(['opt']);
        expect(await readFile(at('/opt/tandem/overlay/main.py'), 'utf8')).toBe('x');
        expect((await lstat(at('/'))).mode & 0o777).toBe(0o755);
        expect((await lstat(at('/opt'))).mode & 0o777).toBe(0o755);
      });

      it('packs several trees into one image', async () => {
        const app = await tree({ 'main.py': 'app', skip: '' });
        const files = await tree({ 'site.css': 'css' });
        const layer = await store.packTrees([
          { directory: app, prefix: '/app', exclude: ['skip'] },
          { directory: files, prefix: '/static' },
        ]);
        const at = await mountedTree(layer);
        expect((await readdir(at('/'))).sort()).toEqual(['app', 'static']);
        expect(await readdir(at('/app'))).toEqual(['main.py']);
        expect(await readFile(at('/static/site.css'), 'utf8')).toBe('css');
      });

      it('drops rights: owner, setuid, setgid; and lets everybody read', async () => {
        const directory = await tree({ tool: '#!', secret: 's', 'd/x': '' });
        await chmod(join(directory, 'tool'), 0o6711);
        await chmod(join(directory, 'secret'), 0o600);
        await chmod(join(directory, 'd'), 0o2700);
        const at = await mountedTree(await store.pack(directory));
        const modeOf = async (path: string): Promise<number> =>
          (await lstat(at(path))).mode & 0o7777;
        expect(await modeOf('tool')).toBe(0o755);
        expect(await modeOf('secret')).toBe(0o644);
        expect(await modeOf('d')).toBe(0o755);
        expect((await lstat(at('secret'))).uid).toBe(0);
      });

      it('keeps links and does not follow them', async () => {
        const directory = await tree({ a: '' });
        await symlink('/etc/shadow', join(directory, 'outside'));
        await symlink('a', join(directory, 'inside'));
        const at = await mountedTree(await store.pack(directory));
        expect(await readlink(at('outside'))).toBe('/etc/shadow');
        expect(await readlink(at('inside'))).toBe('a');
      });

      it('refuses what is not a directory, links to one included', async () => {
        const directory = await tree({ file: '' });
        await symlink('/etc', join(work, 'link'));
        for (const path of [join(directory, 'file'), join(work, 'link'), join(work, 'none')]) {
          await expect(store.pack(path)).rejects.toMatchObject({ code: 'IMAGE_FAILED' });
        }
      });

      it('refuses prefixes that are none, or lie within one another', async () => {
        const directory = await tree({ file: '' });
        for (const prefix of ['app', '/../x', '/a b', '/app/']) {
          await expect(store.pack(directory, { prefix })).rejects.toThrow(/prefix/);
        }
        const nested = store.packTrees([
          { directory, prefix: '/app' },
          { directory, prefix: '/app/x' },
        ]);
        await expect(nested).rejects.toThrow(/overlap/);
        await expect(store.pack(directory, { exclude: ['../x'] })).rejects.toThrow(/leaves/);
      });

      it('stops when told to and leaves nothing', async () => {
        const directory = await tree({ file: '' });
        const packing = store.pack(directory, { signal: AbortSignal.abort() });
        await expect(packing).rejects.toMatchObject({ code: 'CANCELLED' });
        expect(await store.list()).toEqual([]);
      });
    });

    describe('mount', () => {
      it('puts a layer where mountPoint says, the same for every caller', async () => {
        const { sha256 } = await store.pack(await tree({ a: 'content' }));
        expect(await store.mounted()).toEqual([]);
        const callers = [store, store, subject.connect(), subject.connect()];
        const points = await Promise.all(callers.map((caller) => caller.mount(sha256)));
        expect(new Set(points)).toEqual(new Set([store.mountPoint(sha256)]));
        expect(await store.mounted()).toEqual([sha256]);
        expect(await readFile(join(store.mountPoint(sha256), 'a'), 'utf8')).toBe('content');
        await store.unmount(sha256);
        expect(await subject.connect().mounted()).toEqual([]);
      });

      it('is read-only', async () => {
        const { sha256 } = await store.pack(await tree({ a: '' }));
        const root = await store.mount(sha256);
        await expect(writeFile(join(root, 'b'), '')).rejects.toMatchObject({ code: 'EROFS' });
      });

      it('refuses a layer that is not here', async () => {
        await expect(store.mount(ABSENT)).rejects.toMatchObject({ code: 'IMAGE_FAILED' });
        expect(await store.mounted()).toEqual([]);
      });

      it('unmounts what is not mounted without complaint', async () => {
        await expect(store.unmount(ABSENT)).resolves.toBeUndefined();
      });
    });

    describe('remove', () => {
      it('unmounts and deletes, once and again', async () => {
        const { sha256 } = await store.pack(await tree({ a: '' }));
        await store.mount(sha256);
        await store.remove(sha256);
        await store.remove(sha256);
        expect(await store.has(sha256)).toBe(false);
        expect(await store.mounted()).toEqual([]);
      });
    });

    describe('admit', () => {
      it('refuses a file that is no image, is not the expected one, or does not exist', async () => {
        const file = join(await tree({ fake: 'not an image' }), 'fake');
        await expect(store.admit(file)).rejects.toMatchObject({ code: 'IMAGE_FAILED' });
        await expect(store.admit(`${file}-none`)).rejects.toMatchObject({ code: 'IMAGE_FAILED' });
        expect(await store.list()).toEqual([]);
      });
    });

    describe('keys', () => {
      it('finds what was bound to a key, also from elsewhere and after binding anew', async () => {
        const [one, two] = [
          await store.pack(await tree({ a: '1' })),
          await store.pack(await tree({})),
        ];
        await store.bindKey(key('lock'), one);
        expect(await subject.connect().findByKey(key('lock'))).toEqual(one);
        await store.bindKey(key('lock'), two);
        expect(await store.findByKey(key('lock'))).toEqual(two);
        expect(await store.findByKey(key('other'))).toBeUndefined();
      });

      it('ignores a key whose layer is gone, and binds none to what is not here', async () => {
        const layer = await store.pack(await tree({ a: '' }));
        await store.bindKey(key('lock'), layer);
        await store.remove(layer.sha256);
        expect(await store.findByKey(key('lock'))).toBeUndefined();
        const binding = store.bindKey(key('lock'), layer);
        await expect(binding).rejects.toMatchObject({ code: 'IMAGE_FAILED' });
      });
    });
  });
}
