// One instance for as long as it is wanted: attempts, restarts by policy, liveness, and its end.
// All of its steps run one after the other, so nothing about an instance races with itself.
import { TandemError, type ErrorBody } from '@tandem/protocol';
import { LIMITS } from '../domain/limits.ts';
import { decideRestart, type Crash } from '../domain/restart-policy.ts';
import { decideLiveness, initialLiveness, type LivenessState } from '../domain/liveness.ts';
import type { InstanceSpec, InstanceState, ObservedInstance } from '../ports/runner.ts';
import { runAttempt, STOP_REQUESTED, type AttemptFailure } from './attempt.ts';
import type { RunnerContext } from './context.ts';
import type { Attempt } from './hooks/hook.ts';
import { outOfMemory } from './out-of-memory.ts';
import { probe } from './probe.ts';
import type { InstanceRecord, Records } from './records.ts';

export interface ActorOptions {
  /** What a previous agent left of it, if anything. */
  readonly record: InstanceRecord | undefined;
  readonly context: RunnerContext;
  readonly records: Records<InstanceRecord>;
  readonly onChange: (instance: ObservedInstance) => void;
}

export class InstanceActor {
  readonly #options: ActorOptions;
  #spec: InstanceSpec;
  readonly #stop = new AbortController();
  #controller: AbortController | undefined;
  #attempt: Attempt | undefined;
  #addressBefore: string | undefined;
  #attemptNumber = 0;
  #restarts = 0;
  #crashes: Crash[] = [];
  #state: InstanceState = 'starting';
  #reason: string | undefined;
  #error: ErrorBody | undefined;
  #memoryBytes: number | undefined;
  #kills = 0;
  #liveness: LivenessState = initialLiveness;
  /** Resolves when the instance is stopped and nothing of it is left. */
  readonly finished: Promise<void>;

  constructor(spec: InstanceSpec, options: ActorOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#attemptNumber = options.record?.attempt ?? 0;
    this.#restarts = options.record?.restarts ?? 0;
    // Until adoption says otherwise, what was ready is ready: a new agent changes no route.
    if (options.record?.ready) this.#state = 'ready';
    this.#addressBefore = options.record?.address;
    this.finished = this.#run();
  }

  update(spec: InstanceSpec): void {
    this.#spec = spec;
    if (spec.desired === 'stopped') this.end();
  }

  /** Asks for its end; `finished` tells when it came. Safe to repeat. */
  end(): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(STOP_REQUESTED);
    this.#controller?.abort(STOP_REQUESTED);
    this.#become('stopping');
  }

  noteServed(): void {
    this.#liveness = decideLiveness(this.#liveness, { kind: 'served' }).state;
  }

  async reopenLog(): Promise<void> {
    await this.#attempt?.process?.reopenLog();
  }

  observed(): ObservedInstance {
    const address = this.#attempt ? this.#attempt.address : this.#addressBefore;
    return {
      instanceId: this.#spec.instanceId,
      state: this.#state,
      restarts: this.#restarts,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(address === undefined ? {} : { address }),
      ...(this.#attempt?.startedAtMs === undefined
        ? {}
        : { startedAtMs: this.#attempt.startedAtMs }),
      ...(this.#attempt?.process === undefined ? {} : { pid: this.#attempt.process.record.pid }),
      ...(this.#memoryBytes === undefined ? {} : { memoryBytes: this.#memoryBytes }),
    };
  }

  async #run(): Promise<void> {
    let { record } = this.#options;
    while (!this.#stop.signal.aborted) {
      const failure = await this.#tryOnce(record);
      record = undefined;
      if (!failure || this.#stop.signal.aborted) break;
      const again = await this.#decide(failure);
      if (!again) break;
    }
    await this.#options.records.remove(this.#spec.instanceId);
    this.#become('stopped');
  }

  /** Runs one attempt, or takes over the one that a previous agent began. */
  async #tryOnce(record: InstanceRecord | undefined): Promise<AttemptFailure | undefined> {
    const controller = new AbortController();
    this.#controller = controller;
    const process = record?.sandbox && (await this.#options.context.sandbox.adopt(record.sandbox));
    const adopted = process !== undefined && record?.ready === true;
    // Started but not yet ready when the agent ended: it is ended too, and started anew.
    if (process && !adopted) await process.remove();
    if (!adopted) this.#attemptNumber += 1;
    const attempt: Attempt = {
      spec: this.#spec,
      context: this.#options.context,
      records: this.#options.records,
      sandboxId: `${this.#spec.instanceId}-${this.#attemptNumber}`,
      number: this.#attemptNumber,
      restarts: this.#restarts,
      signal: controller.signal,
      ...(adopted ? { process, startedAtMs: record.startedAtMs } : {}),
      ...(adopted && record.address !== undefined ? { address: record.address } : {}),
    };
    this.#attempt = attempt;
    this.#liveness = initialLiveness;
    this.#kills = 0;
    if (!adopted) this.#become('starting');
    const failure = await runAttempt(attempt, {
      controller,
      adopted,
      onReady: () => this.#become('ready'),
      attend: (ready) => this.#attend(ready),
    });
    return failure;
  }

  /** False when it should not be tried again. */
  async #decide(failure: AttemptFailure): Promise<boolean> {
    const { context } = this.#options;
    const nowMs = context.clock.nowMs();
    this.#error = failure.error.toBody();
    const uptimeMs = nowMs - (this.#attempt?.startedAtMs ?? nowMs);
    this.#attempt = undefined;
    this.#note(failure.error.message);
    if (this.#spec.desired === 'draining') return false;
    if (this.#spec.onProbation) return await this.#fail(failure.error.message);
    this.#crashes = [...this.#crashes, { atMs: nowMs, uptimeMs }];
    const decision = decideRestart({
      exit: failure.exit ?? { code: 255, outOfMemory: false },
      history: this.#crashes,
      limits: this.#spec.essential ? { ...LIMITS.restart, crashesMax: Infinity } : LIMITS.restart,
      nowMs,
    });
    this.#note(decision.reason);
    if (decision.action === 'give-up') {
      this.#error = this.#crashLoop(decision.reason);
      return await this.#fail(decision.reason);
    }
    this.#restarts += 1;
    this.#become('backoff', decision.reason);
    await context.clock.sleep(decision.delayMs, this.#stop.signal).catch(() => undefined);
    return true;
  }

  #crashLoop(reason: string): ErrorBody {
    const { appName, processName } = this.#spec;
    return new TandemError('CRASH_LOOP', `${processName}: ${reason}`, {
      hint: `tandem logs -a ${appName} -p ${processName}\ntandem restart -a ${appName}`,
    }).toBody();
  }

  /** Stays visible as failed until the nexus asks for its end. */
  async #fail(reason: string): Promise<boolean> {
    this.#become('failed', reason);
    if (!this.#stop.signal.aborted) {
      await new Promise((resolve) => {
        this.#stop.signal.addEventListener('abort', resolve, { once: true });
      });
    }
    return false;
  }

  async #attend(attempt: Attempt): Promise<void> {
    const { clock } = this.#options.context;
    for (;;) {
      await clock.sleep(LIMITS.probe.intervalMs, attempt.signal);
      const usage = await attempt.process?.usage().catch(() => undefined);
      this.#memoryBytes = usage?.memoryBytes;
      this.#countKills(usage?.outOfMemoryKills ?? 0);
      if (this.#spec.probe && attempt.address) await this.#probeLiveness(attempt.address);
    }
  }

  /** A server that starts its killed workers again looks well from outside. */
  #countKills(kills: number): void {
    if (kills <= this.#kills) return;
    this.#kills = kills;
    const { hint } = outOfMemory(this.#spec);
    const reason = `out of memory, ${kills} workers were killed: ${hint}`;
    this.#note(reason);
    if (this.#state === 'ready') this.#become('ready', reason);
  }

  async #probeLiveness(address: string): Promise<void> {
    const { probe: spec } = this.#spec;
    if (!spec) return;
    const outcome = await probe(spec, [address], LIMITS.probe.timeoutMs);
    // Any answer is a sign of life: replacing an app whose database is down would not mend it.
    const alive = outcome.kind === 'answered';
    const decision = decideLiveness(this.#liveness, { kind: alive ? 'alive' : 'failed' });
    this.#liveness = decision.state;
    if (decision.replace && this.#state === 'ready') {
      const reason = decision.reason ?? 'unresponsive';
      this.#note(reason);
      this.#error = new TandemError('UNRESPONSIVE', reason).toBody();
      this.#become('unresponsive', reason);
    } else if (alive && this.#state === 'unresponsive') {
      this.#become('ready');
    }
  }

  #note(text: string): void {
    this.#options.context.note(this.#spec.logPath, `tandem: ${text}`);
  }

  #become(state: InstanceState, reason?: string): void {
    // Once its end was asked for, nothing else about it matters to anybody.
    this.#state = this.#stop.signal.aborted && state !== 'stopped' ? 'stopping' : state;
    this.#reason = reason;
    if (state === 'ready') this.#error = undefined;
    this.#options.onChange(this.observed());
  }
}
