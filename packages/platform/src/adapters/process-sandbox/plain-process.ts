// One plain process, fresh or adopted.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reopenConmonLog } from '../../lib/conmon.ts';
import { isRunning, signalProcess } from '../../lib/process-identity.ts';
import type {
  ExitStatus,
  SandboxProcess,
  SandboxRecord,
  SandboxSpec,
  SandboxUsage,
} from '../../ports/sandbox.ts';
import { markedPids } from './marked-processes.ts';
import { markOf, processDirectory, type ProcessContext } from './context.ts';
import { removeProcess } from './process-directory.ts';
import { commandOf } from './run-script.ts';

const PAGE_BYTES = 4096;
/** Clock ticks of proc(5): USER_HZ, 100 on every architecture we run on. */
const TICK_MS = 10;

export class PlainProcess implements SandboxProcess {
  readonly id: string;
  readonly record: SandboxRecord;
  readonly exited: Promise<ExitStatus>;
  readonly #context: ProcessContext;

  constructor(context: ProcessContext, record: SandboxRecord) {
    this.id = record.id;
    this.record = record;
    this.#context = context;
    this.exited = context.exits
      .wait(record.id, () => this.isHeld())
      .then((code) => ({ code, outOfMemory: false }));
  }

  /** Whether the process, or conmon that will write its exit status, is there. */
  async isHeld(): Promise<boolean> {
    const { pid, pidStartTicks, detail } = this.record;
    if (await isRunning({ pid, startTicks: pidStartTicks })) return true;
    const startTicks = Number(detail['conmonStartTicks']);
    return await isRunning({ pid: Number(detail['conmonPid']), startTicks });
  }

  async usage(): Promise<SandboxUsage> {
    const pids = await markedPids(markOf(this.#context, this.id));
    const each = await Promise.all(pids.map(usageOf));
    return {
      memoryBytes: each.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      cpuMs: each.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      pids: pids.length,
      outOfMemoryKills: 0,
    };
  }

  async signal(signal: Parameters<SandboxProcess['signal']>[0]): Promise<void> {
    const { pid, pidStartTicks } = this.record;
    await signalProcess({ pid, startTicks: pidStartTicks }, signal);
  }

  async reopenLog(): Promise<void> {
    await reopenConmonLog(processDirectory(this.#context, this.id));
  }

  /** As the user and in the directory and environment of the process. */
  async execArgs(command: readonly string[]): Promise<string[]> {
    const directory = processDirectory(this.#context, this.id);
    const content = await readFile(join(directory, 'spec.json'), 'utf8');
    const spec = JSON.parse(content) as SandboxSpec;
    const [file = '', ...args] = command;
    return commandOf({ ...spec, args: [file, ...args] }, this.#context.isRoot);
  }

  async remove(): Promise<void> {
    if ((await this.#context.exits.statusOf(this.id)) !== undefined) await this.exited;
    await removeProcess(this.#context, this.id);
  }
}

async function usageOf(pid: number): Promise<{ memoryBytes: number; cpuMs: number }> {
  const [memory, stat] = await Promise.all([
    readFile(`/proc/${pid}/statm`, 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''),
  ]);
  const [, residentPages = 0, sharedPages = 0] = memory.split(' ').map(Number);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  return { memoryBytes: (residentPages - sharedPages) * PAGE_BYTES, cpuMs: ticks * TICK_MS };
}
