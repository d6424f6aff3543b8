// The builder: from a source archive to layers. See ports/builder.ts for the contract.
import { mkdir, rm } from 'node:fs/promises';
import { TandemError } from '@tandem/protocol';
import { isDiskFull } from '../lib/disk-full.ts';
import type { Builder, BuildRequest, DetectOutcome, DetectRequest } from '../ports/builder.ts';
import type { BuilderOptions } from './collaborators.ts';
import { detectOnNode } from './detect-on-node.ts';
import { equivalentToml } from './detect/equivalent-toml.ts';
import { preferred } from './detect/python/available-versions.ts';
import { diskTree } from './detect/source-tree.ts';
import { runBuild } from './run-build.ts';
import { sweepBuilds } from './sweep-builds.ts';
import { unpackArchive } from './unpack/unpack-archive.ts';

export function createBuilder(options: BuilderOptions): Builder {
  return {
    warmUp: () => warmUp(options),
    build: (request) => explained(request.signal, () => runBuild(options, request)),
    detect: (request) => explained(request.signal, () => detectOnly(options, request)),
    sweep: (activeBuildIds) => sweepBuilds(options, activeBuildIds),
  };
}

async function warmUp({ interpreters }: BuilderOptions): Promise<void> {
  const version = preferred(interpreters.map((interpreter) => interpreter.version));
  await interpreters.find((interpreter) => interpreter.version === version)?.layer();
}

async function detectOnly(
  options: BuilderOptions,
  { archivePath, workDirectory, signal }: DetectRequest,
): Promise<DetectOutcome> {
  await mkdir(workDirectory, { recursive: true, mode: 0o700 });
  try {
    await unpackArchive({ archivePath, directory: workDirectory, signal });
    const detection = await detectOnNode(options, diskTree(workDirectory), {});
    return { findings: detection.findings, toml: equivalentToml(detection) };
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

/** Cancelling aborts whatever is at work, and each part has its own way to say so. */
async function explained<T>(signal: BuildRequest['signal'], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted)
      throw new TandemError('CANCELLED', 'The build was cancelled.', { cause: error });
    if (error instanceof TandemError) throw error;
    if (isDiskFull(error)) {
      throw new TandemError('DISK_FULL', 'No space was left for the build.', {
        cause: error,
        hint: 'tandem doctor',
      });
    }
    throw error;
  }
}
