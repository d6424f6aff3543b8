import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readUntrustedFile } from './read-untrusted-file.ts';

describe('readUntrustedFile', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tandem-untrusted-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('reads a regular file within the bound', async () => {
    const path = join(directory, 'a');
    writeFileSync(path, 'hello');
    expect(await readUntrustedFile(path, 5)).toBe('hello');
    expect(await readUntrustedFile(path, 4)).toBeUndefined();
  });

  it('does not follow a link, wait for a pipe or mind a missing file', async () => {
    symlinkSync('/etc/passwd', join(directory, 'link'));
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    for (const name of ['link', 'pipe', 'missing', '.']) {
      expect(await readUntrustedFile(join(directory, name), 10_000)).toBeUndefined();
    }
  });
});
