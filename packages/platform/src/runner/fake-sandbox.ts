// Test double at the Sandbox port: processes are objects whose end the test decides.
import type {
  ExitStatus,
  Sandbox,
  SandboxProcess,
  SandboxRecord,
  SandboxSpec,
} from '../ports/sandbox.ts';

export class FakeProcess implements SandboxProcess {
  readonly id: string;
  readonly record: SandboxRecord;
  readonly exited: Promise<ExitStatus>;
  readonly signals: string[] = [];
  readonly spec: SandboxSpec;
  removed = 0;
  /** Whether SIGTERM ends it. */
  obedient = true;
  outOfMemoryKills = 0;
  end: (status: ExitStatus) => void;

  constructor(spec: SandboxSpec, pid: number) {
    this.id = spec.id;
    this.spec = spec;
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    this.exited = promise;
    this.end = resolve;
    this.record = {
      schemaVersion: 1,
      sandbox: 'process',
      id: spec.id,
      bootId: 'boot',
      pid,
      pidStartTicks: 1,
      detail: {},
    };
  }

  async usage() {
    return { memoryBytes: 1024, cpuMs: 1, pids: 1, outOfMemoryKills: this.outOfMemoryKills };
  }

  async signal(signal: Parameters<SandboxProcess['signal']>[0]) {
    this.signals.push(signal);
    if (signal === 'SIGKILL') this.end({ code: 137, outOfMemory: false });
    else if (this.obedient) this.end({ code: 143, outOfMemory: false });
  }

  async reopenLog() {
    return undefined;
  }

  async execArgs() {
    return ['true'];
  }

  async remove() {
    this.removed += 1;
    this.end({ code: 137, outOfMemory: false });
  }
}

export class FakeSandbox implements Sandbox {
  readonly started: FakeProcess[] = [];
  /** Starts whose record is on disk: what a new agent can know of. */
  recorded = 0;
  swept: ((id: string) => boolean) | undefined;
  /** Runs after `onRecord`, before `start` resolves. */
  onStart: (process: FakeProcess) => void = () => undefined;
  failNext: Error | undefined;
  readonly capabilities = {
    name: 'process',
    rootFileSystem: false,
    networkNamespace: false,
    ownUser: false,
    memoryLimit: false,
    cpuLimit: false,
    pidsLimit: false,
    diskLimit: false,
    seccomp: false,
    survivesAgent: true,
  } as const;

  async start(spec: SandboxSpec, onRecord?: (record: SandboxRecord) => Promise<void>) {
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure) throw failure;
    const process = new FakeProcess(spec, 1_000_000 + this.started.length);
    this.started.push(process);
    await onRecord?.(process.record);
    this.recorded += 1;
    this.onStart(process);
    return process;
  }

  async runAttached() {
    return { code: 0, outOfMemory: false };
  }

  async adopt(record: SandboxRecord) {
    return this.started.find((process) => process.id === record.id && process.removed === 0);
  }

  async sweep(isKnown: (id: string) => boolean) {
    this.swept = isKnown;
    return [];
  }

  get last(): FakeProcess {
    const process = this.started.at(-1);
    if (!process) throw new Error('nothing was started');
    return process;
  }
}
