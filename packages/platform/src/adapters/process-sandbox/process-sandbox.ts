// The Sandbox for machines where crun cannot run: plain processes on the host's file system and
// network, held by conmon like containers are. It isolates next to nothing, and says so.
import { constants } from 'node:fs';
import { access, mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TandemError } from '@tandem/protocol';
import { readBootId } from '../../lib/boot-id.ts';
import { prepareConmon } from '../../lib/conmon.ts';
import { ExitWatch } from '../../lib/exit-watch.ts';
import { identify } from '../../lib/process-identity.ts';
import type { Sandbox, SandboxRecord, SandboxSpec } from '../../ports/sandbox.ts';
import {
  markOf,
  processDirectory,
  processesDirectory,
  type ProcessContext,
  type ProcessSandboxOptions,
} from './context.ts';
import { PlainProcess } from './plain-process.ts';
import { claimDirectory, locatedSpec, PROCESS_ID, removeProcess } from './process-directory.ts';
import { runAttached } from './run-attached.ts';
import { runScript } from './run-script.ts';

const RUNTIME = fileURLToPath(new URL('../../../libexec/process-runtime', import.meta.url));
const CREATE_TIMEOUT_MS = 10_000;
const START_TIMEOUT_MS = 5_000;
const START_INTERVAL_MS = 5;

export async function createProcessSandbox(options: ProcessSandboxOptions): Promise<Sandbox> {
  const exitDirectory = join(options.paths.run, 'process-exits');
  const context: ProcessContext = {
    options,
    exits: new ExitWatch(exitDirectory),
    exitDirectory,
    bootId: await readBootId(),
    isRoot: process.getuid?.() === 0,
  };
  // Readable on the way, because the user of a process enters its scratch directory.
  await mkdir(processesDirectory(context), { recursive: true, mode: 0o711 });
  await mkdir(exitDirectory, { recursive: true, mode: 0o700 });
  return {
    capabilities: {
      name: 'process',
      rootFileSystem: false,
      networkNamespace: false,
      ownUser: context.isRoot,
      memoryLimit: false,
      cpuLimit: false,
      pidsLimit: false,
      diskLimit: false,
      seccomp: false,
      survivesAgent: true,
    },
    start: (spec, onRecord) => start(context, spec, onRecord),
    runAttached: (spec, session) => runAttached(context, spec, session),
    adopt: (record) => adopt(context, record),
    sweep: (isKnown) => sweep(context, isKnown),
  };
}

async function start(
  context: ProcessContext,
  spec: SandboxSpec,
  onRecord: (record: SandboxRecord) => Promise<void> = async () => undefined,
): Promise<PlainProcess> {
  const directory = await claimDirectory(context, spec.id);
  try {
    const located = await locatedSpec(context, spec, directory);
    const script = runScript(located, { directory, changeUser: context.isRoot });
    await writeFile(join(directory, 'run'), script, { mode: 0o700 });
    await writeFile(join(directory, 'spec.json'), JSON.stringify(located), { mode: 0o600 });
    const conmon = prepareConmon({
      id: spec.id,
      directory,
      runtime: RUNTIME,
      runtimeArgs: [markOf(context, spec.id)],
      exitDirectory: context.exitDirectory,
      logPath: spec.logPath,
    });
    const held = await conmon.create(CREATE_TIMEOUT_MS);
    const [main, holder] = await Promise.all([identify(held.pid), identify(held.conmonPid)]);
    const record: SandboxRecord = {
      schemaVersion: 1,
      sandbox: 'process',
      id: spec.id,
      bootId: context.bootId,
      pid: main.pid,
      pidStartTicks: main.startTicks,
      detail: { conmonPid: holder.pid, conmonStartTicks: holder.startTicks },
    };
    await onRecord(record);
    await letGo(directory);
    return new PlainProcess(context, record);
  } catch (error) {
    await removeProcess(context, spec.id);
    if (error instanceof TandemError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new TandemError('SANDBOX_FAILED', `process ${spec.id}: ${message}`, { cause: error });
  }
}

/**
 * The FIFO has a reader from soon after the process exists; without one the open fails at once. The
 * process removes it when it was let go, by us or by an agent before us.
 */
async function letGo(directory: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const outcome = await writeToReader(join(directory, 'start'));
    if (outcome !== 'ENXIO') return;
    if (performance.now() > deadline) throw new Error('it does not wait for its start');
    await sleep(START_INTERVAL_MS);
  }
}

async function writeToReader(path: string): Promise<'written' | 'ENXIO' | 'ENOENT'> {
  try {
    const fifo = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
    await fifo.write('\n').finally(() => fifo.close());
    return 'written';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENXIO' || code === 'ENOENT') return code;
    // The reader went between our open and our write: it was let go.
    if (code === 'EPIPE') return 'written';
    throw error;
  }
}

async function adopt(
  context: ProcessContext,
  record: SandboxRecord,
): Promise<PlainProcess | undefined> {
  if (record.sandbox !== 'process' || record.bootId !== context.bootId) return undefined;
  const directory = processDirectory(context, record.id);
  if (!(await exists(directory))) return undefined;
  const process = new PlainProcess(context, record);
  if ((await context.exits.statusOf(record.id)) !== undefined) {
    await process.exited;
    return process;
  }
  if (!(await process.isHeld())) {
    context.exits.settle(record.id);
    return undefined;
  }
  // The agent may have died between the record and the start.
  if (await exists(join(directory, 'start'))) await letGo(directory);
  return process;
}

async function sweep(context: ProcessContext, isKnown: (id: string) => boolean): Promise<string[]> {
  const ids = await readdir(processesDirectory(context));
  const unknown = ids.filter((id) => PROCESS_ID.test(id) && !isKnown(id));
  for (const id of unknown) await removeProcess(context, id);
  return unknown;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
