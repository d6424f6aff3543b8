import { describe, expect, it } from 'vitest';
import { toOciSeccomp } from './seccomp.ts';

const profile = (...syscalls: object[]): string =>
  JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38, syscalls });
const allow = (names: string[], changes: object = {}): object => ({
  names,
  action: 'SCMP_ACT_ALLOW',
  args: null,
  includes: {},
  excludes: {},
  ...changes,
});
const namesOf = (text: string, architecture = 'x64'): string[] =>
  toOciSeccomp(text, architecture)
    .syscalls.filter(({ action, args }) => action === 'SCMP_ACT_ALLOW' && !args)
    .flatMap(({ names }) => names);

describe('toOciSeccomp', () => {
  it('takes what a process without capabilities may do', () => {
    const text = profile(
      allow(['read']),
      allow(['chroot'], { includes: { caps: ['CAP_SYS_CHROOT'] } }),
      allow(['write'], { excludes: { caps: ['CAP_SYS_ADMIN'] } }),
    );
    expect(namesOf(text)).toEqual(['read', 'write']);
  });

  it('takes rules for this architecture only', () => {
    const text = profile(
      allow(['arch_prctl'], { includes: { arches: ['amd64', 'x32'] } }),
      allow(['breakpoint'], { includes: { arches: ['arm', 'arm64'] } }),
      allow(['other'], { excludes: { arches: ['amd64'] } }),
    );
    expect(namesOf(text, 'x64')).toEqual(['arch_prctl']);
    expect(namesOf(text, 'arm64')).toEqual(['breakpoint', 'other']);
  });

  it('refuses what the original allows for nested containers', () => {
    const text = profile(
      allow(['read', 'mount', 'unshare', 'clone', 'clone3', 'socket', 'ptrace']),
    );
    expect(namesOf(text)).toEqual(['read']);
    const { syscalls } = toOciSeccomp(text, 'x64');
    const refused = syscalls.find(
      ({ errnoRet, names }) => errnoRet === 1 && names.includes('mount'),
    );
    expect(refused?.names).toEqual(
      expect.arrayContaining(['unshare', 'setns', 'ptrace', 'keyctl']),
    );
  });

  it('keeps 32-bit system calls out, which would go around rules on arguments', () => {
    const { architectures } = toOciSeccomp(profile(allow(['socketcall', 'read'])), 'x64');
    expect(architectures).toEqual(['SCMP_ARCH_X86_64']);
    expect(namesOf(profile(allow(['socketcall', 'socketpair'])))).toEqual(['socketpair']);
  });

  it.each(['', '{}', '[1]', '{"syscalls": 1}'])('refuses the profile %s', (text) => {
    expect(() => toOciSeccomp(text, 'x64')).toThrow(
      expect.objectContaining({ code: 'MACHINE_UNFIT' }),
    );
  });

  it('refuses an architecture it has no name for', () => {
    expect(() => toOciSeccomp(profile(), 'mips')).toThrow(/mips/);
  });
});
