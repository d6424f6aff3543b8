// What an install of a lock is asked with, whoever runs it: its arguments, its directories, its failure.
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildSession, StepResult } from '../build-session.ts';
import type { DeclaredIndex } from '../detect/dependencies/declared-indexes.ts';
import type { RequirementLine } from '../detect/requirements-file.ts';
import { explainInstall } from '../diagnosis/explain-install.ts';
import type { BuildGround } from '../system-packages/build-ground.ts';
import type { Lock } from './lock.ts';
import type { PrivateIndexes } from './private-indexes.ts';
import type { Toolchain } from './toolchain.ts';
import { layOutVirtualenv } from './virtualenv.ts';

export interface DependencyRequest {
  readonly lock: Lock;
  readonly toolchain: Toolchain;
  /** For messages. */
  readonly file: string;
  readonly lines: readonly RequirementLine[];
  /** That the project names itself. */
  readonly declared: readonly DeclaredIndex[];
  /** Directory inside in which relative paths of the lock are meant. */
  readonly cwd: string;
  /** Of the app's config: asked when it builds for itself. */
  readonly indexes: PrivateIndexes;
  /** What paths of the source add to the key. */
  readonly paths: unknown;
  readonly ground: BuildGround;
  /** Whether something was found that needs the project itself installed. */
  readonly itself: 'needed' | 'optional';
  /** What it is built with. */
  readonly buildRequirements: readonly string[];
}

/** A fresh /venv and a /build with the lock in it, both of `uid`. */
export async function prepareInstall(
  session: BuildSession,
  { lock, toolchain }: DependencyRequest,
  uid: number,
): Promise<string> {
  const { venv } = session.disk;
  await rm(venv, { recursive: true, force: true });
  await mkdir(venv, { mode: 0o755 });
  await layOutVirtualenv(venv, toolchain, uid);
  const work = join(session.disk.work, '..', `install-${uid}`);
  for (const path of [work, join(work, 'bin'), join(work, 'cache')]) {
    await mkdir(path, { recursive: true, mode: 0o755 });
    await chown(path, uid, uid);
  }
  await writeFile(join(work, 'lock.txt'), lock.text, { mode: 0o644 });
  return work;
}

export function installArgs(
  lock: Lock,
  file: string,
  more: readonly string[],
): [string, ...string[]] {
  const hashes = lock.fullyHashed ? ['--require-hashes'] : [];
  // With the hashes given it does not matter which index a file comes from.
  const anywhere = lock.versionsHashed ? ['--index-strategy', 'unsafe-best-match'] : [];
  return [
    '/build/bin/uv',
    'pip',
    'install',
    '--python',
    '/venv/bin/python',
    '--requirements',
    file,
    '--no-deps',
    '--compile-bytecode',
    ...hashes,
    ...anywhere,
    ...more,
  ];
}

export function installFailure(request: DependencyRequest, { logTail }: StepResult) {
  const { file, lines, declared } = request;
  return explainInstall({ logTail, file, lines, indexes: declared });
}
