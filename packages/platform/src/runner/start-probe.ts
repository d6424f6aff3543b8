// Waits until a new instance answers, or says why it never will.
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../domain/limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProbeSpec } from '../ports/runner.ts';
import { listeningPorts } from './listening-ports.ts';
import { isAlive, probe, type ProbeOutcome } from './probe.ts';

/** A refused connect costs 0.1 ms; every poll that comes late delays a deploy. */
const POLL_MS = 20;
/** How often it is looked where else the process may listen. */
const MISBOUND_CHECK_MS = 500;
/** Servers answer 5xx while they warm up; only a lasting one is a failure. */
const SERVER_ERRORS_MAX = 4;
const SERVER_ERROR_PAUSE_MS = 500;
/** A probe with less time than this would time out, and hide what the ones before it saw. */
const PROBE_MS_MIN = 100;
/** How long a port bound in the wrong place is taken for a passing state. */
const MISBOUND_MS = 3_000;

export interface StartProbe {
  readonly spec: ProbeSpec;
  readonly addresses: readonly string[];
  readonly pid: number;
  readonly name: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The address that answered. Throws HOST_REFUSED, PROBE_*, PORT_*; stops when `signal` fires. */
export async function waitUntilReady(start: StartProbe): Promise<string> {
  const beganMs = start.clock.monotonicMs();
  const misbound = new MisboundWatch(start);
  let serverErrors = 0;
  let last: ProbeOutcome = { kind: 'refused' };
  while (elapsed(start, beganMs) + PROBE_MS_MIN < start.spec.startTimeoutMs) {
    start.signal.throwIfAborted();
    const leftMs = start.spec.startTimeoutMs - elapsed(start, beganMs);
    last = await probe(start.spec, start.addresses, leftMs);
    if (last.kind === 'answered') {
      if (last.redirectsToItself) throw redirectLoop(start, last.status);
      if (isAlive(last.status)) return last.address;
      if (last.status === 400) throw hostRefused(start);
      serverErrors += 1;
      if (serverErrors >= SERVER_ERRORS_MAX) throw serverError(start, last.status);
      await start.clock.sleep(SERVER_ERROR_PAUSE_MS, start.signal);
      continue;
    }
    if (last.kind === 'refused') await misbound.check();
    await start.clock.sleep(POLL_MS, start.signal);
  }
  throw notReady(start, last);
}

/** Raises the alarm when the process has listened in the wrong place for a while. */
class MisboundWatch {
  readonly #start: StartProbe;
  #checkedMs: number;
  #sinceMs: number | undefined;

  constructor(start: StartProbe) {
    this.#start = start;
    this.#checkedMs = start.clock.monotonicMs();
  }

  async check(): Promise<void> {
    const nowMs = this.#start.clock.monotonicMs();
    if (nowMs - this.#checkedMs < MISBOUND_CHECK_MS) return;
    this.#checkedMs = nowMs;
    const problem = await misboundPort(this.#start);
    this.#sinceMs = problem ? (this.#sinceMs ?? nowMs) : undefined;
    if (problem && nowMs - (this.#sinceMs ?? nowMs) >= MISBOUND_MS) throw problem;
  }
}

function elapsed(start: StartProbe, sinceMs: number): number {
  return start.clock.monotonicMs() - sinceMs;
}

function hostRefused({ spec, name }: StartProbe): TandemError {
  return new TandemError('HOST_REFUSED', `${name}: GET ${spec.path} with Host ${spec.host}: 400`, {
    hint: `allow "${spec.host}" in ALLOWED_HOSTS, or in the config variable that fills it`,
  });
}

function redirectLoop({ spec, name }: StartProbe, status: number): TandemError {
  return new TandemError(
    'HTTPS_REDIRECT_LOOP',
    `${name}: GET https://${spec.host}${spec.path} answered ${status} and sends to the same address`,
  );
}

function serverError({ spec, name }: StartProbe, status: number): TandemError {
  return new TandemError('PROBE_STATUS', `${name}: GET ${spec.path} answered ${status}`);
}

function notReady({ spec, name }: StartProbe, last: ProbeOutcome): TandemError {
  const seconds = Math.round(spec.startTimeoutMs / 1000);
  if (last.kind === 'refused') {
    return new TandemError(
      'PORT_NOT_BOUND',
      `${name}: nothing listened on port ${spec.port} within ${seconds} s`,
      { hint: `listen on 0.0.0.0:$PORT or [::]:$PORT (PORT is ${spec.port})` },
    );
  }
  const detail = last.kind === 'broken' ? last.detail : 'no answer';
  return new TandemError(
    'PROBE_TIMEOUT',
    `${name}: GET ${spec.path} was not answered within ${seconds} s (${detail})`,
  );
}

/** The error to raise when a server listens, but where nobody can reach it. */
async function misboundPort(start: StartProbe): Promise<TandemError | undefined> {
  const { spec, name } = start;
  const ports = await listeningPorts(start.pid);
  if (ports.length === 0) return undefined;
  const own = ports.filter((entry) => entry.port === spec.port);
  if (own.some((entry) => !entry.localhostOnly)) return undefined;
  if (own.length > 0) {
    return new TandemError(
      'PORT_LOCALHOST_ONLY',
      `${name} listens on localhost:${spec.port}, where visitors cannot reach it`,
      { hint: `bind to 0.0.0.0:$PORT or [::]:$PORT in the web command` },
    );
  }
  const others = ports.map((entry) => entry.port).join(', ');
  return new TandemError('PORT_NOT_BOUND', `${name} listens on port ${others}, not ${spec.port}`, {
    hint: `use $PORT (${spec.port}) in the web command`,
  });
}

/** Time-out of one liveness probe; the start has a longer one. */
export const LIVENESS_TIMEOUT_MS = LIMITS.probe.timeoutMs;
