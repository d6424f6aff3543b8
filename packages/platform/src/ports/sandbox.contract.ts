// What every Sandbox must do, run against each adapter with real processes. Tests of what an adapter
// does not declare in `capabilities` are not registered for it.
import { readFile, rename, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '@tandem/protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runToExit } from '../lib/run-command.ts';
import { describeAttachedContract } from './sandbox-attached.contract.ts';
import {
  eventually,
  logText,
  throughJson,
  within,
  type SandboxUnderTest,
} from './sandbox-under-test.contract.ts';
import type {
  Sandbox,
  SandboxCapabilities,
  SandboxProcess,
  SandboxRecord,
  SandboxSpec,
} from './sandbox.ts';

const MIB = 1024 * 1024;

export function describeSandboxContract(
  capabilities: SandboxCapabilities,
  open: () => Promise<SandboxUnderTest>,
): void {
  describe(`Sandbox contract: ${capabilities.name}`, () => {
    let tested: SandboxUnderTest;
    let sandbox: Sandbox;
    let spec: SandboxUnderTest['spec'];
    const started: SandboxProcess[] = [];

    beforeAll(async () => {
      tested = await open();
      ({ sandbox } = tested);
      spec = (script, changes) => tested.spec(script, changes);
    });
    afterEach(async () => {
      for (const process of started.splice(0)) await process.remove();
    });
    afterAll(async () => {
      await tested.close();
    });

    async function start(described: SandboxSpec): Promise<SandboxProcess> {
      const process = await sandbox.start(described);
      started.push(process);
      return process;
    }

    async function run(script: string, changes: Partial<SandboxSpec> = {}) {
      const described = spec(script, changes);
      const process = await start(described);
      const status = await process.exited;
      return { ...status, output: await logText(described.logPath) };
    }

    it('declares what it can', () => {
      expect(sandbox.capabilities).toEqual(capabilities);
    });

    describe('start', () => {
      it('runs the command and gives its exit status', async () => {
        expect(await run('exit 0')).toMatchObject({ code: 0, outOfMemory: false });
        expect(await run('exit 3')).toMatchObject({ code: 3, outOfMemory: false });
      });

      it('writes both streams to the log, line by line', async () => {
        const described = spec('echo out; echo err >&2; printf unfinished');
        await (
          await start(described)
        ).exited;
        const lines = (await readFile(described.logPath, 'utf8')).trimEnd().split('\n');
        const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\S+`;
        expect(lines).toHaveLength(3);
        for (const said of ['stderr F err', 'stdout F out', 'stdout P unfinished']) {
          expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^${time} ${said}$`)));
        }
      });

      it('hands over the environment and nothing else', async () => {
        const value = 'a b\n"c" \'d\' $HOME `e`';
        const { output } = await run('env -0 | tr "\\0" ";"', {
          env: { KEY: value, PATH: '/bin' },
        });
        expect(output).toContain(`KEY=${value};`);
        const inherited = Object.keys(process.env).filter((key) => key.startsWith('VITEST'));
        for (const key of inherited) expect(output).not.toContain(`${key}=`);
      });

      it('begins in the working directory', async () => {
        expect((await run('pwd', { cwd: '/usr' })).output).toBe('/usr\n');
      });

      it('gives a command that does not exist as a shell would', async () => {
        const process = await start(spec('', { args: ['/no/such/command'] }));
        expect((await process.exited).code).toBe(127);
      });

      it('calls onRecord before the command does anything', async () => {
        const described = spec('echo began; sleep 60');
        let before = 'not called';
        const process = await sandbox.start(described, async (record) => {
          expect(record).toMatchObject({ id: described.id, sandbox: capabilities.name });
          await sleep(100);
          before = await logText(described.logPath);
        });
        started.push(process);
        expect(before).toBe('');
        await eventually(async () => (await logText(described.logPath)) === 'began\n');
      });

      it('leaves nothing when onRecord fails', async () => {
        const described = spec('echo began');
        const failing = sandbox.start(described, () => Promise.reject(new Error('disk gone')));
        await expect(failing).rejects.toThrow(/disk gone/);
        expect(await logText(described.logPath)).toBe('');
        expect(await sandbox.sweep(() => false)).not.toContain(described.id);
      });

      it('leaves nothing when a mount cannot be made', async () => {
        const described = spec('exit 0', {
          mounts: [{ source: '/no/such/directory', target: '/data', readOnly: false }],
        });
        const error = await sandbox.start(described).catch((thrown: unknown) => thrown);
        expect(hasCode(error, 'SANDBOX_FAILED')).toBe(true);
        expect(await sandbox.sweep(() => false)).not.toContain(described.id);
      });

      it('refuses an id that is in use, and leaves its holder alone', async () => {
        const described = spec('sleep 60');
        const first = await start(described);
        const error = await sandbox.start(described).catch((thrown: unknown) => thrown);
        expect(hasCode(error, 'SANDBOX_FAILED')).toBe(true);
        expect(await isAlive(first)).toBe(true);
      });

      it.each(['', 'A', '../x', '-a', 'a'.repeat(61)])('refuses the id "%s"', async (id) => {
        const error = await sandbox.start(spec('exit 0', { id })).catch((e: unknown) => e);
        expect(hasCode(error, 'SANDBOX_FAILED')).toBe(true);
      });

      it('starts several at once', async () => {
        const processes = await Promise.all(
          [1, 2, 3, 4].map((code) => start(spec(`exit ${code}`))),
        );
        const statuses = await Promise.all(processes.map((process) => process.exited));
        expect(statuses.map(({ code }) => code)).toEqual([1, 2, 3, 4]);
      });
    });

    describe('signal', () => {
      it('ends a command that does not handle it', async () => {
        const process = await start(spec('', { args: ['/bin/sleep', '60'] }));
        await process.signal('SIGTERM');
        expect((await within(process.exited)).code).toBe(128 + 15);
      });

      it('reaches the handler of the main process, and no other process', async () => {
        const script = `trap 'echo main; exit 7' TERM
          sh -c 'trap "echo child" TERM; while :; do sleep 0.1; done' &
          echo up; while :; do sleep 0.1; done`;
        const described = spec(script);
        const process = await start(described);
        await eventually(async () => (await logText(described.logPath)).includes('up'));
        await process.signal('SIGTERM');
        expect((await within(process.exited)).code).toBe(7);
        expect(await logText(described.logPath)).toBe('up\nmain\n');
      });

      it('tells a kill by the exit status', async () => {
        const process = await start(spec('', { args: ['/bin/sleep', '60'] }));
        await process.signal('SIGKILL');
        expect(await within(process.exited)).toEqual({ code: 137, outOfMemory: false });
      });

      it('is no error after the end', async () => {
        const process = await start(spec('exit 0'));
        await process.exited;
        await process.signal('SIGTERM');
      });
    });

    describe('adopt', () => {
      it('finds a running process and its end', async () => {
        const process = await start(spec('sleep 60'));
        const adopted = await (await tested.openSandbox()).adopt(throughJson(process.record));
        await adopted?.signal('SIGKILL');
        expect((await within(adopted!.exited)).code).toBe(137);
        expect((await within(process.exited)).code).toBe(137);
      });

      it('knows the status of one that ended in between', async () => {
        const process = await start(spec('exit 5'));
        await process.exited;
        const adopted = await (await tested.openSandbox()).adopt(throughJson(process.record));
        expect(await adopted?.exited).toEqual({ code: 5, outOfMemory: false });
      });

      it('starts one whose agent died between record and start', async () => {
        const described = spec('echo began; exit 4');
        const { promise: recorded, resolve } = Promise.withResolvers<SandboxRecord>();
        void sandbox.start(described, async (record) => {
          resolve(record);
          await new Promise(() => undefined);
        });
        const adopted = await (await tested.openSandbox()).adopt(await recorded);
        started.push(adopted!);
        expect((await within(adopted!.exited)).code).toBe(4);
        expect(await logText(described.logPath)).toBe('began\n');
      });

      it('denies what was removed, another boot, and another process', async () => {
        const process = await start(spec('sleep 60'));
        const next = await tested.openSandbox();
        const { record } = process;
        expect(await next.adopt({ ...record, bootId: 'another' })).toBeUndefined();
        expect(await next.adopt({ ...record, id: 'never-there' })).toBeUndefined();
        await process.remove();
        expect(await next.adopt(record)).toBeUndefined();
      });
    });

    describe('remove', () => {
      it('ends everything inside, however it hides', async () => {
        const script = `trap '' TERM HUP INT
          (trap '' TERM; setsid sh -c 'sleep 301 & sleep 302' &) &
          setsid setsid sleep 303 & echo up; sleep 304`;
        const described = spec(script);
        const process = await start(described);
        await eventually(async () => (await logText(described.logPath)).includes('up'));
        await sleep(100);
        await process.remove();
        expect(await isAlive(process)).toBe(false);
        const { stdout } = await runToExit(['ps', '-eo', 'uid,args'], { timeoutMs: 5_000 });
        const own = stdout.split('\n').filter((line) => line.includes(String(described.uid)));
        expect(own.filter((line) => /sleep 30[1-4]/.test(line))).toEqual([]);
      });

      it('is idempotent, also at once and from two agents', async () => {
        const process = await start(spec('sleep 60'));
        const adopted = await (await tested.openSandbox()).adopt(process.record);
        await Promise.all([process.remove(), process.remove()]);
        await process.remove();
        await adopted?.remove();
        expect((await within(process.exited)).code).toBe(137);
      });

      it('keeps the log', async () => {
        const described = spec('echo said');
        const process = await start(described);
        await process.exited;
        await process.remove();
        expect(await logText(described.logPath)).toBe('said\n');
      });
    });

    describe('sweep', () => {
      it('removes what is not known, and only that', async () => {
        const [known, unknown] = [await start(spec('sleep 60')), await start(spec('sleep 60'))];
        const next = await tested.openSandbox();
        expect(await next.sweep((id) => id === known.id)).toEqual([unknown.id]);
        expect(await isAlive(unknown)).toBe(false);
        expect(await isAlive(known)).toBe(true);
        expect(await next.sweep((id) => id === known.id)).toEqual([]);
      });
    });

    it('continues in a new file after a rotation, and loses no line', async () => {
      const described = spec(
        'i=0; while [ $i -lt 400 ]; do echo $i; i=$((i+1)); sleep 0.002; done',
      );
      const process = await start(described);
      await eventually(async () => (await logText(described.logPath)).includes('50\n'));
      await rename(described.logPath, `${described.logPath}.1`);
      await process.reopenLog();
      await process.exited;
      const [before, after] = [
        await logText(`${described.logPath}.1`),
        await logText(described.logPath),
      ];
      expect(after).not.toBe('');
      const numbers = Array.from({ length: 400 }, (_, index) => `${index}\n`).join('');
      expect(before + after).toBe(numbers);
    });

    it('tells what it uses', async () => {
      const process = await start(
        spec('i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; sleep 60'),
      );
      await eventually(async () => {
        const usage = await process.usage();
        return usage.memoryBytes > 0 && usage.cpuMs > 0 && usage.pids > 0;
      });
    });

    it('enters a running sandbox with a command, as the same user', async () => {
      const process = await start(spec('sleep 60', { env: { PATH: '/usr/bin:/bin', KEY: 'v' } }));
      const script = 'echo $KEY; id -u; grep NoNewPrivs /proc/self/status; exit 6';
      const argv = await process.execArgs(['sh', '-c', script], { terminal: false });
      const result = await runToExit(argv as [string], { timeoutMs: 5_000 });
      expect(result.exitCode).toBe(6);
      const own = await runToExit(['id', '-u'], { timeoutMs: 5_000 });
      const uid = capabilities.ownUser ? String(spec('').uid) : own.stdout.trim();
      expect(result.stdout).toBe(`v\n${uid}\nNoNewPrivs:\t${capabilities.ownUser ? 1 : 0}\n`);
    });

    describeAttachedContract(() => tested);

    it('holds the limit of open files', async () => {
      const described = spec('ulimit -Hn; ulimit -Sn; ulimit -n 2048 2>/dev/null; ulimit -n');
      const { output } = await run('ulimit -Hn; ulimit -Sn', {
        limits: { ...described.limits, openFiles: 333 },
      });
      expect(output).toBe('333\n333\n');
    });

    if (capabilities.ownUser) {
      it('runs as the user of the spec, who cannot become another', async () => {
        const { output } = await run(
          'id -u; id -g; id -G; grep -E "CapEff|NoNewPrivs" /proc/self/status',
        );
        const uid = spec('').uid;
        expect(output).toBe(`${uid}\n${uid}\n${uid}\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n`);
      });
    }

    if (capabilities.memoryLimit) {
      it('ends what takes more memory, and says why', async () => {
        const { limits } = spec('');
        const script = `python3 -c 'b = bytearray(300 * 1024 * 1024)'`;
        const status = await run(script, { limits: { ...limits, memoryBytes: 64 * MIB } });
        expect(status).toMatchObject({ code: 137, outOfMemory: true });
      });

      it('says so of an adopted process too', async () => {
        const { limits } = spec('');
        const script = `sleep 1; python3 -c 'b = bytearray(300 * 1024 * 1024)'`;
        const process = await start(spec(script, { limits: { ...limits, memoryBytes: 64 * MIB } }));
        const adopted = await (await tested.openSandbox()).adopt(process.record);
        expect(await within(adopted!.exited)).toEqual({ code: 137, outOfMemory: true });
      });
    }

    if (capabilities.pidsLimit) {
      it('stops a fork bomb', async () => {
        const { limits } = spec('');
        const described = spec('f() { f | f & }; f; sleep 60', { limits: { ...limits, pids: 32 } });
        const process = await start(described);
        await sleep(500);
        expect((await process.usage()).pids).toBeLessThanOrEqual(32);
        await process.remove();
      });
    }

    if (capabilities.cpuLimit) {
      it('holds the limit of processor time', async () => {
        const { limits } = spec('');
        const described = spec('while :; do :; done', { limits: { ...limits, cpuCores: 0.2 } });
        const process = await start(described);
        const before = await process.usage();
        await sleep(2_000);
        const after = await process.usage();
        expect(after.cpuMs - before.cpuMs).toBeLessThan(800);
      });
    }

    if (capabilities.diskLimit) {
      it('fills its own /tmp only', async () => {
        const { limits } = spec('');
        const script = 'dd if=/dev/zero of=/tmp/f bs=1M count=200 2>&1 | tail -5; stat -c %a /tmp';
        const { output } = await run(script, { limits: { ...limits, tmpBytes: 16 * MIB } });
        expect(output).toContain('No space left on device');
        expect(output).toContain('1777');
        expect((await run('echo x > /tmp/f; cat /tmp/f')).output).toBe('x\n');
      });
    }
  });
}

async function isAlive({ record }: SandboxProcess): Promise<boolean> {
  return await stat(`/proc/${record.pid}/exe`).then(
    () => true,
    () => false,
  );
}
