// Platforms on other machines, as `tandem login` stored them: contexts.json, readable by the user only.
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import * as v from 'valibot';

const Context = v.object({
  /** `ssh://user@host:port` */
  url: v.string(),
  installation: v.string(),
});
export type Context = v.InferOutput<typeof Context>;

const Contexts = v.object({
  /** Used when nothing else is chosen; absent: this machine. */
  current: v.optional(v.string()),
  contexts: v.record(v.string(), Context),
});
export type Contexts = v.InferOutput<typeof Contexts>;

export function contextsFile(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config');
  return join(base, 'tandem', 'contexts.json');
}

export async function readContexts(file: string): Promise<Contexts> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw unreadable(file, error);
  });
  if (text === undefined) return { contexts: {} };
  try {
    return v.parse(Contexts, JSON.parse(text));
  } catch (error) {
    throw unreadable(file, error);
  }
}

export async function writeContexts(file: string, contexts: Contexts): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  const handle = await open(temporary, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(contexts, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

function unreadable(file: string, cause: unknown): TandemError {
  return new TandemError('REQUEST_INVALID', 'The stored contexts cannot be read.', {
    where: file,
    hint: `rm ${file}\ntandem login ssh://root@HOST`,
    cause,
  });
}
