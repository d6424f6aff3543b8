// The agent is killed, process group and all: sandboxes live on, and half-made ones leave nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  eventually,
  within,
} from '../../packages/platform/src/ports/sandbox-under-test.contract.ts';
import type { SandboxRecord, SandboxSpec } from '../../packages/platform/src/ports/sandbox.ts';
import { createSandboxFixture, type SandboxFixture } from '../support/sandbox-fixture.ts';

const STARTER = fileURLToPath(new URL('../support/sandbox-starter.ts', import.meta.url));

describe('a sandbox whose agent is killed', () => {
  let fixture: SandboxFixture;
  beforeAll(async () => {
    fixture = await createSandboxFixture();
  });
  afterAll(async () => {
    await fixture.close();
  });

  function startAgent(spec: SandboxSpec) {
    const { installation, paths } = fixture;
    const work = JSON.stringify({ installation, paths, spec });
    const agent = spawn(process.execPath, ['--conditions=development', STARTER, work], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(agent.stdout)[Symbol.asyncIterator]();
    const nextLine = async (): Promise<string> => String((await lines.next()).value);
    const killGroup = async (): Promise<void> => {
      process.kill(-(agent.pid ?? 0), 'SIGKILL');
      await once(agent, 'exit');
    };
    return { nextLine, killGroup };
  }

  it('runs on, keeps its log, and is adopted with its exit status', async () => {
    const script =
      'i=0; while [ ! -e /tmp/stop ]; do echo $i; i=$((i+1)); sleep 0.05; done; exit 17';
    const spec = fixture.spec(script, { network: fixture.addresses() });
    const agent = startAgent(spec);
    expect(await agent.nextLine()).toBe('starting');
    const record = JSON.parse(await agent.nextLine()) as SandboxRecord;
    await agent.killGroup();

    const before = (await fixture.readLog(spec)).length;
    await eventually(async () => (await fixture.readLog(spec)).length > before);
    const conmon = Number(record.detail['conmonPid']);
    const cgroup = await readFile(`/proc/${conmon}/cgroup`, 'utf8');
    expect(cgroup).toContain(`/tandem-${fixture.installation.id}/_conmon`);

    const adopted = await fixture.sandbox.adopt(record);
    const argv = await adopted!.execArgs(['touch', '/tmp/stop'], { terminal: false });
    await once(spawn(argv[0]!, argv.slice(1), { stdio: 'ignore' }), 'exit');
    expect(await within(adopted!.exited)).toEqual({ code: 17, outOfMemory: false });
    await adopted!.remove();
  });

  it('leaves its exit status for the next agent when it ends in between', async () => {
    const spec = fixture.spec('sleep 0.3; exit 23');
    const agent = startAgent(spec);
    await agent.nextLine();
    const record = JSON.parse(await agent.nextLine()) as SandboxRecord;
    await agent.killGroup();
    await sleep(1_000);
    const adopted = await (await fixture.openSandbox()).adopt(record);
    expect(await within(adopted!.exited)).toEqual({ code: 23, outOfMemory: false });
    await adopted!.remove();
  });

  it.each([0, 5, 10, 15, 20, 30, 40, 60])(
    'is swept whole when the agent dies %i ms into its start',
    async (delayMs) => {
      const spec = fixture.spec('sleep 60', { network: fixture.addresses() });
      const agent = startAgent(spec);
      await agent.nextLine();
      await sleep(delayMs);
      await agent.killGroup();
      // conmon and crun may still be at work on what they were told.
      await sleep(200);
      const swept = await fixture.sandbox.sweep(() => false);
      // Killed early enough it had not begun.
      expect([[], [spec.id]]).toContainEqual(swept);
      expect(await fixture.network.sweep(new Set())).toEqual([]);
      expect(await fixture.sandbox.sweep(() => false)).toEqual([]);
    },
  );
});
