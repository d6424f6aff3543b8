import { describe, expect, it } from 'vitest';
import { isMountPoint, parseMountInfo } from './mount-table.ts';

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
        fsType: 'ext3',
        source: '/dev/root',
        superOptions: 'rw,errors=continue',
      },
      { mountPoint: '/a', fsType: 'overlay', source: 'tandem', superOptions: 'ro,lowerdir=aa:bb' },
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

describe('isMountPoint', () => {
  it('tells mount points from other directories', async () => {
    expect(await isMountPoint('/proc')).toBe(true);
    expect(await isMountPoint('/proc/self')).toBe(false);
  });
});
