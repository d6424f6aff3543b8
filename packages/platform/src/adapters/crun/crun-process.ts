// One started container, fresh or adopted: how it ended, what it uses, how it is reached.
import { randomBytes } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reopenConmonLog } from '../../lib/conmon.ts';
import { isRunning, signalProcess, type ProcessIdentity } from '../../lib/process-identity.ts';
import type {
  ExitStatus,
  SandboxProcess,
  SandboxRecord,
  SandboxUsage,
} from '../../ports/sandbox.ts';
import { countOutOfMemoryKills, readUsage } from './cgroups.ts';
import { cgroupPath, sandboxDirectory, type CrunContext } from './context.ts';
import { initTakesSignals } from './init-ready.ts';
import { removeSandbox } from './remove-sandbox.ts';
import { INIT } from './root-files.ts';

type Signal = Parameters<SandboxProcess['signal']>[0];

export class CrunProcess implements SandboxProcess {
  readonly id: string;
  readonly record: SandboxRecord;
  readonly exited: Promise<ExitStatus>;
  readonly #context: CrunContext;
  #removal: Promise<void> | undefined;

  constructor(context: CrunContext, record: SandboxRecord) {
    this.id = record.id;
    this.record = record;
    this.#context = context;
    this.exited = this.#exit();
  }

  /** Whether the process, or conmon that will write its exit status, is there. */
  async isHeld(): Promise<boolean> {
    return (await isRunning(mainProcess(this.record))) || (await isRunning(holder(this.record)));
  }

  async usage(): Promise<SandboxUsage> {
    return await readUsage(this.#context.cgroups, cgroupPath(this.#context, this.id));
  }

  async signal(signal: Signal): Promise<void> {
    const main = mainProcess(this.record);
    if (signal !== 'SIGKILL' && (await isRunning(main))) await initTakesSignals(main.pid, INIT);
    await signalProcess(main, signal);
  }

  async reopenLog(): Promise<void> {
    await reopenConmonLog(this.#directory);
  }

  /** From a file: on its command line crun exec would drop no_new_privs. */
  async execArgs(command: readonly string[], options: { terminal: boolean }): Promise<string[]> {
    const config = await readFile(join(this.#directory, 'config.json'), 'utf8');
    const { process: original } = JSON.parse(config) as { process: Record<string, unknown> };
    const file = join(this.#directory, `exec-${randomBytes(6).toString('hex')}.json`);
    const spec = { ...original, args: command, terminal: options.terminal };
    await writeFile(file, JSON.stringify(spec), { mode: 0o600 });
    return [...this.#context.crun.argv, 'exec', '--process', file, this.id];
  }

  remove(): Promise<void> {
    this.#removal ??= this.#remove().catch((error: unknown) => {
      this.#removal = undefined;
      throw error;
    });
    return this.#removal;
  }

  async #remove(): Promise<void> {
    const { exits } = this.#context;
    // How it ended is read from what the removal takes away.
    if ((await exits.statusOf(this.id)) !== undefined) await this.exited;
    await removeSandbox(this.#context, this.id);
  }

  get #directory(): string {
    return sandboxDirectory(this.#context, this.id);
  }

  async #exit(): Promise<ExitStatus> {
    const code = await this.#context.exits.wait(this.id, () => this.isHeld());
    // A worker killed earlier, under a main process that then ended well, is no failure.
    return { code, outOfMemory: code !== 0 && (await this.#ranOutOfMemory()) };
  }

  /** Both: conmon's mark can come late, the cgroup may be gone already. */
  async #ranOutOfMemory(): Promise<boolean> {
    const path = cgroupPath(this.#context, this.id);
    if ((await countOutOfMemoryKills(this.#context.cgroups, path)) > 0) return true;
    return await stat(join(this.#directory, 'oom')).then(
      () => true,
      () => false,
    );
  }
}

function mainProcess(record: SandboxRecord): ProcessIdentity {
  return { pid: record.pid, startTicks: record.pidStartTicks };
}

function holder({ detail }: SandboxRecord): ProcessIdentity {
  return { pid: Number(detail['conmonPid']), startTicks: Number(detail['conmonStartTicks']) };
}
