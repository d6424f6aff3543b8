// Makes the links that a configuration file asks for in a source just unpacked, before any code of it
// runs. Detection has seen to it that both ends lie in the source; the disk is looked at again, because
// directories on the way may be links of the archive.
import { lchown, lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { TandemError } from '@tandem/protocol';
import type { Link } from '../detect/linked-tree.ts';
import { TreeModel } from '../unpack/tree-model.ts';

export async function makeLinks(
  source: string,
  links: readonly Link[],
  uid: number,
): Promise<void> {
  if (links.length === 0) return;
  for (const link of links) {
    await makeParents(source, link, uid);
    const path = join(source, link.path);
    if ((await lstat(path).catch(() => undefined))?.isDirectory() === true) {
      throw unsafe(link, 'is a directory');
    }
    await rm(path, { force: true });
    await symlink(relative(dirname(path), join(source, link.target)) || '.', path);
    await lchown(path, uid, uid);
  }
  // A link of the archive that leads through one of these may now leave the source.
  const model = new TreeModel();
  await addTo(model, source, '');
  model.checkLinks();
}

async function addTo(model: TreeModel, source: string, directory: string): Promise<void> {
  for (const entry of await readdir(join(source, directory), { withFileTypes: true })) {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
    if (entry.isSymbolicLink()) model.addLink(path, await readlink(join(source, path)));
    else if (entry.isDirectory()) {
      model.addDirectory(path);
      await addTo(model, source, path);
    }
  }
}

/** Never through a link: it would be followed with our rights. */
async function makeParents(source: string, link: Link, uid: number): Promise<void> {
  let at = source;
  for (const part of link.path.split('/').slice(0, -1)) {
    at = join(at, part);
    const before = await lstat(at).catch(() => undefined);
    if (before?.isDirectory() === true) continue;
    if (before !== undefined) throw unsafe(link, `would lie below "${part}", no directory`);
    await mkdir(at, { mode: 0o755 });
    await lchown(at, uid, uid);
  }
}

function unsafe({ path, target }: Link, why: string): TandemError {
  return new TandemError('ARCHIVE_LINK_UNSAFE', `Link "${path}" -> "${target}" ${why}.`, {
    where: path,
    hint: 'choose another path in [symlinks] of epio.ini',
  });
}
