// `.tandem/link.json` says which app a folder is. The directory ignores itself, so that linking
// never shows up in the user's git status, and is never uploaded.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import * as v from 'valibot';

export const LINK_DIRECTORY = '.tandem';

const Link = v.object({
  app: v.string(),
  /** Name of the context it was deployed through; absent: this machine. */
  on: v.optional(v.string()),
});
export type Link = v.InferOutput<typeof Link>;

const linkFile = (folder: string): string => join(folder, LINK_DIRECTORY, 'link.json');

/** Of the folder itself. */
export async function readLink(folder: string): Promise<Link | undefined> {
  const text = await readFile(linkFile(folder), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return v.parse(Link, JSON.parse(text));
  } catch (error) {
    throw new TandemError('REQUEST_INVALID', 'The link of the folder cannot be read.', {
      where: linkFile(folder),
      hint: `rm ${linkFile(folder)}\ntandem deploy -a NAME`,
      cause: error,
    });
  }
}

/** Of the folder or the nearest one above it. */
export async function findLink(folder: string): Promise<Link | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const link = await readLink(at);
    if (link || at === dirname(at)) return link;
  }
}

export async function writeLink(folder: string, link: Link): Promise<void> {
  const directory = join(folder, LINK_DIRECTORY);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, '.gitignore'), '*\n');
  const temporary = `${linkFile(folder)}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(link, undefined, 2)}\n`);
  await rename(temporary, linkFile(folder));
}

/** Forgets the app, when the folder was linked to it. */
export async function removeLink(folder: string, app: string): Promise<void> {
  const link = await readLink(folder).catch(() => undefined);
  if (link?.app === app) await rm(join(folder, LINK_DIRECTORY), { recursive: true, force: true });
}
