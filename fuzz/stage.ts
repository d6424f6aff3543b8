// A balancer with an app behind it and clients before it, all in this process, so that a few turns of
// the loop without a byte mean that nobody has anything more to say.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { BalancerLimits } from '../packages/platform/src/domain/limits.ts';
import { type Backend, rawBackend, TestBalancer } from '../test/support/balancer-server.ts';
import { claim } from './target.ts';

/** Bytes travel from end to end in fewer. */
const QUIET_TURNS = 10;
/** Twice as patient where the machine might be the reason. */
const PATIENT_MS = 20;
const LEAVE_MS_MAX = 3_000;

export interface StageOptions {
  readonly limits: Partial<BalancerLimits>;
  readonly onUpstream: (socket: Socket) => void;
}

export interface Heard {
  /** All bytes that the client was sent. */
  readonly text: string;
  /** By the balancer. */
  readonly closed: boolean;
}

const crashes: Error[] = [];
process.on('uncaughtException', (error) => crashes.push(error));
process.on('unhandledRejection', (error) => crashes.push(new Error(String(error))));

export class Stage {
  readonly #balancer: TestBalancer;
  readonly #backend: Backend;
  #plays = 0;
  #bytes = 0;

  private constructor(balancer: TestBalancer, backend: Backend) {
    this.#balancer = balancer;
    this.#backend = backend;
  }

  static async open({ limits, onUpstream }: StageOptions): Promise<Stage> {
    let stage: Stage | undefined = undefined;
    const backend = await rawBackend((socket) => {
      socket.setNoDelay(true).on('data', (bytes: Buffer) => stage?.note(bytes.length));
      socket.on('end', () => stage?.note(1));
      onUpstream(socket);
    });
    const balancer = new TestBalancer({ limits });
    await balancer.listen();
    stage = new Stage(balancer, backend);
    return stage;
  }

  /** Something happened. */
  note(bytes: number): void {
    this.#bytes += bytes;
  }

  /** What a client is told that sends these pieces; then everybody must be gone. */
  async play(pieces: readonly Buffer[], isPatient: boolean): Promise<Heard> {
    // Connections of another play are not reused.
    this.#plays += 1;
    const upstream = { ...this.#backend.upstream, instanceId: `play-${this.#plays}` };
    const target = { kind: 'upstreams', upstreams: [upstream] } as const;
    this.#balancer.to([upstream], [{ host: 'b.test', path: '/', target }]);
    const { port } = this.#balancer;
    const client = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    let [text, closed] = ['', false];
    client.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
      this.note(bytes.length);
    });
    const end = (): void => {
      closed = true;
      this.note(1);
    };
    client.on('error', () => undefined).on('end', end);
    client.on('close', end);
    await once(client, 'connect');
    for (const piece of pieces) {
      if (client.writable) client.write(piece);
      await setImmediate();
      await setImmediate();
    }
    await this.#quiet(isPatient);
    const heard = { text, closed };
    client.destroy();
    await this.#emptied();
    const crash = crashes.shift();
    if (crash) throw crash;
    return heard;
  }

  async close(): Promise<void> {
    await this.#backend.close();
    await this.#balancer.close();
  }

  async #quiet(isPatient: boolean): Promise<void> {
    for (let [turns, before] = [0, -1]; turns < QUIET_TURNS; turns += 1) {
      if (this.#bytes !== before) [turns, before] = [0, this.#bytes];
      await setImmediate();
      if (isPatient) await sleep(PATIENT_MS);
    }
  }

  /** Who leaves takes everything along. */
  async #emptied(): Promise<void> {
    const endMs = performance.now() + LEAVE_MS_MAX;
    const { router, drain } = this.#balancer;
    while (this.#balancer.connectionCount > 0) {
      claim(performance.now() < endMs, 'a connection that outlives its client');
      await setImmediate();
    }
    router.table.applyUpdate({
      epoch: router.table.epoch + 1,
      app: { appId: 1, appName: 'app1', routes: [] },
    });
    while (drain.instanceIds.length > 0) {
      claim(performance.now() < endMs, 'a request that outlives its client', drain.instanceIds);
      await setImmediate();
    }
    this.#balancer.access.length = 0;
    this.#balancer.logged.length = 0;
  }
}
