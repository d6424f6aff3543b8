import { describe, expect, it } from 'vitest';
import { parseMountInfo } from './mounts.ts';

describe('parseMountInfo', () => {
  it('reads mount point and source, with and without optional fields', () => {
    const text = [
      '36 35 98:0 /mnt1 /run/t/layers/ab rw,noatime master:1 shared:2 - squashfs /dev/loop0 ro',
      '37 36 0:5 / /run/t/x rw - overlay overlay rw,lowerdir=/a',
      '',
    ].join('\n');
    expect(parseMountInfo(text)).toEqual([
      { mountPoint: '/run/t/layers/ab', source: '/dev/loop0' },
      { mountPoint: '/run/t/x', source: 'overlay' },
    ]);
  });

  it('undoes the escapes of spaces and backslashes', () => {
    expect(parseMountInfo('1 2 0:1 / /run/a\\040b\\134c rw - tmpfs none rw')[0]?.mountPoint).toBe(
      '/run/a b\\c',
    );
  });
});
