import { describe, expect, it } from 'vitest';
import { isMountPoint, mountOf, parseMountInfo } from './mount-table.ts';

describe('parseMountInfo', () => {
  it('reads lines with and without optional fields', () => {
    const text = [
      '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue',
      '40 35 0:30 / /a overlay,ro - overlay tandem ro,lowerdir=aa:bb',
      '',
    ].join('\n');
    expect(parseMountInfo(text)).toEqual([
      {
        mountPoint: '/mnt2',
        options: 'rw,noatime',
        fsType: 'ext3',
        source: '/dev/root',
        superOptions: 'rw,errors=continue',
      },
      {
        mountPoint: '/a',
        options: 'overlay,ro',
        fsType: 'overlay',
        source: 'tandem',
        superOptions: 'ro,lowerdir=aa:bb',
      },
    ]);
  });

  it('undoes the escapes of the kernel', () => {
    const [entry] = parseMountInfo('1 2 3:4 / /with\\040space\\134 rw - ext4 /dev/x rw');
    expect(entry?.mountPoint).toBe('/with space\\');
  });

  it('leaves out what it cannot read', () => {
    expect(parseMountInfo('nonsense\n')).toEqual([]);
  });
});

describe('mountOf', () => {
  const table = parseMountInfo(
    [
      '1 1 0:1 / / rw - ext4 /dev/root rw',
      '2 1 0:2 / /run rw,noexec - tmpfs first rw',
      '3 2 0:3 / /run rw - tmpfs second rw',
      '4 1 0:4 / /run/user rw - tmpfs third rw',
    ].join('\n'),
  );

  it('is the deepest above the path, and the latest at one place', () => {
    expect(mountOf('/run/user/0', table)?.source).toBe('third');
    expect(mountOf('/run/users', table)?.source).toBe('second');
    expect(mountOf('/run', table)?.source).toBe('second');
    expect(mountOf('/etc', table)?.source).toBe('/dev/root');
  });

  it('is unknown where nothing is mounted', () => {
    expect(mountOf('/run', [])).toBeUndefined();
  });
});

describe('isMountPoint', () => {
  it('tells mount points from other directories', async () => {
    expect(await isMountPoint('/proc')).toBe(true);
    expect(await isMountPoint('/proc/self')).toBe(false);
  });
});
