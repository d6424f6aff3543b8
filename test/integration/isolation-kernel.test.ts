// A hostile app against the kernel: everything that would get it out of its sandbox, or more than
// its share, is tried for real and must fail.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { runToExit } from '../../packages/platform/src/lib/run-command.ts';
import { eventually } from '../../packages/platform/src/ports/sandbox-under-test.contract.ts';
import { createSandboxFixture, type SandboxFixture } from '../support/sandbox-fixture.ts';

const PROBE = fileURLToPath(new URL('../support/isolation-probe.py', import.meta.url));

describe('a hostile app and the kernel', () => {
  let fixture: SandboxFixture;
  beforeAll(async () => {
    fixture = await createSandboxFixture();
  });
  afterAll(async () => {
    await fixture.close();
  });

  it('fails at everything in the probe', async () => {
    const { output, code } = await fixture.run('', {
      args: ['/usr/bin/python3', '/run/tandem/probe.py'],
      mounts: [{ source: PROBE, target: '/run/tandem/probe.py', readOnly: true }],
      network: fixture.addresses(),
    });
    const lines = output.trim().split('\n');
    expect(code, output).toBe(0);
    expect(lines.length).toBeGreaterThan(55);
    expect(lines.filter((line) => line.endsWith('DONE'))).toEqual([]);
  });

  it('sees the processes of its own sandbox only, and cannot signal others', async () => {
    const secret = { env: { PATH: '/usr/bin:/bin', SECRET: 'of-another-app' } };
    const other = await fixture.sandbox.start(fixture.spec('sleep 60', secret));
    const script = `
import os
pids = [p for p in os.listdir('/proc') if p.isdigit()]
print(len(pids), any(b'of-another-app' in open(f'/proc/{p}/environ','rb').read() for p in pids))
for pid in (${other.record.pid}, 40000):
    try: os.kill(pid, 9); print('killed')
    except ProcessLookupError: print('no such process')
try: os.kill(-1, 9)
except ProcessLookupError: pass
`;
    // Same app, same uid: the pid namespace alone keeps them apart.
    const { output } = await fixture.run('', { args: ['/usr/bin/python3', '-c', script] });
    expect(output).toBe('2 False\nno such process\nno such process\n');
    expect(await readFile(`/proc/${other.record.pid}/comm`, 'utf8')).toBeTruthy();
    await other.remove();
  });

  it('is held to its processes: a fork bomb harms nobody else', async () => {
    const { limits } = fixture.spec('');
    const bomb = await fixture.sandbox.start(
      fixture.spec('f() { f | f & }; f; while :; do f; done', { limits: { ...limits, pids: 40 } }),
    );
    await sleep(1_000);
    expect((await bomb.usage()).pids).toBeLessThanOrEqual(40);
    expect((await fixture.run('echo fine')).output).toBe('fine\n');
    await bomb.remove();
  });

  it('is held to its memory also by children, shared memory and page cache', async () => {
    const { limits } = fixture.spec('');
    const small = { limits: { ...limits, memoryBytes: 64 * 1024 * 1024 } };
    const children = `python3 -c '
import os
for _ in range(8):
    if os.fork() == 0: b = bytearray(40 << 20); os._exit(0)
bad = [os.wait()[1] for _ in range(8)]
raise SystemExit(9 if any(bad) else 0)'`;
    expect(await fixture.run(children, small)).toMatchObject({ outOfMemory: true });
    const shared = await fixture.run('dd if=/dev/zero of=/dev/shm/f bs=1M count=200', small);
    expect(shared.code).not.toBe(0);
    const disk = 'dd if=/dev/zero of=/tmp/f bs=1M count=100 2>/dev/null; sync; echo wrote';
    const roomy = { limits: { ...small.limits, tmpBytes: 200 * 1024 * 1024 } };
    const cached = await fixture.run(disk, roomy);
    expect(cached, 'page cache is given back, not counted as too much').toMatchObject({
      code: 0,
      outOfMemory: false,
    });
  });

  it('gets its share of the processor and no more', async () => {
    const { limits } = fixture.spec('');
    const spec = fixture.spec('while :; do :; done & while :; do :; done', {
      limits: { ...limits, cpuCores: 0.25 },
    });
    const process = await fixture.sandbox.start(spec);
    const before = await process.usage();
    await sleep(2_000);
    expect((await process.usage()).cpuMs - before.cpuMs).toBeLessThan(900);
    await process.remove();
  });

  it('does not outlive its removal', async () => {
    const script = `python3 -c '
import os, signal, time
for s in range(1, 65):
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                if os.fork(): os._exit(0)
                time.sleep(0.01)
        os._exit(0)
print("up", flush=True)
time.sleep(600)'`;
    const spec = fixture.spec(script);
    const process = await fixture.sandbox.start(spec);
    await eventually(async () => (await fixture.readLog(spec)).includes('up'));
    await process.remove();
    const { stdout } = await runToExit(['ps', '-eo', 'uid='], { timeoutMs: 5_000 });
    const uids = stdout.split('\n').map((line) => line.trim());
    expect(uids).not.toContain(String(spec.uid));
  });

  it('keeps no_new_privs, user and filter for commands that enter it', async () => {
    const process = await fixture.sandbox.start(fixture.spec('sleep 60'));
    const script = 'grep -E "^(Uid|CapEff|NoNewPrivs|Seccomp):" /proc/self/status; unshare -U true';
    const argv = await process.execArgs(['sh', '-c', script], { terminal: false });
    const { stdout, exitCode } = await runToExit(argv as [string], { timeoutMs: 10_000 });
    const uid = fixture.spec('').uid;
    expect(stdout).toContain(`Uid:\t${uid}\t${uid}`);
    expect(stdout).toContain('CapEff:\t0000000000000000');
    expect(stdout).toContain('NoNewPrivs:\t1');
    expect(stdout).toContain('Seccomp:\t2');
    expect(exitCode).not.toBe(0);
    await process.remove();
  });
});
