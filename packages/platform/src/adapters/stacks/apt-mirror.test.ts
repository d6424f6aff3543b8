import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { machineMirror, mirrorAt, mirrorIn, PUBLIC_MIRROR } from './apt-mirror.ts';

const DEB822 = `Types: deb
# a comment
URIs: https://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: https://mirror.example/security
Suites: bookworm-security
`;

describe('mirrorIn', () => {
  it('reads deb822 stanzas', () => {
    expect(mirrorIn(DEB822, 'bookworm')).toEqual({
      main: 'https://mirror.example/debian',
      security: 'https://mirror.example/security',
    });
  });

  it('reads one-line entries with options', () => {
    const lines = [
      '# deb http://commented.example/debian bookworm main',
      'deb [arch=amd64 signed-by=/k.gpg] http://a.example/debian bookworm main contrib',
      'deb-src http://src.example/debian bookworm main',
      'deb http://a.example/security bookworm-security main',
    ];
    expect(mirrorIn(lines.join('\n'), 'bookworm')).toEqual({
      main: 'http://a.example/debian',
      security: 'http://a.example/security',
    });
  });

  it('has none for another release, without security, disabled, or from a disc', () => {
    expect(mirrorIn(DEB822, 'trixie')).toBeUndefined();
    expect(mirrorIn('deb http://a.example/debian bookworm main', 'bookworm')).toBeUndefined();
    const disabled = DEB822.replaceAll('Types: deb', 'Types: deb\nEnabled: no');
    expect(mirrorIn(disabled, 'bookworm')).toBeUndefined();
    expect(mirrorIn(DEB822.replaceAll('https:', 'cdrom:'), 'bookworm')).toBeUndefined();
  });
});

describe('machineMirror', () => {
  it('reads sources.list and its parts, and falls back to the public mirror', async () => {
    const apt = await mkdtemp(join(tmpdir(), 'tandem-apt-'));
    expect(await machineMirror('bookworm', apt)).toEqual(PUBLIC_MIRROR);
    await mkdir(join(apt, 'sources.list.d'));
    await writeFile(join(apt, 'sources.list.d/debian.sources.disabled'), DEB822);
    expect(await machineMirror('bookworm', apt)).toEqual(PUBLIC_MIRROR);
    await writeFile(join(apt, 'sources.list.d/debian.sources'), DEB822);
    expect((await machineMirror('bookworm', apt)).main).toBe('https://mirror.example/debian');
    await rm(apt, { recursive: true });
  });
});

describe('mirrorAt', () => {
  it('expects the security archive beside the main one', () => {
    expect(mirrorAt('http://a.example/debian/')).toEqual({
      main: 'http://a.example/debian',
      security: 'http://a.example/debian-security',
    });
  });
});
