import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sandboxMemoryBytes, serverSettings, type ServerOptions } from './settings.ts';

const MIB = 1024 * 1024;
const options: ServerOptions = {
  listen: 'fd00::7',
  port: 6379,
  password: 'secret-of-the-app',
  memoryBytes: 64 * MIB,
};

function settingOf(name: string, change: Partial<ServerOptions> = {}): string {
  const lines = serverSettings({ ...options, ...change }).split('\n');
  return lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
}

describe('serverSettings', () => {
  it('listens on its own address only', () => {
    expect(settingOf('bind')).toBe('fd00::7');
    expect(settingOf('port')).toBe('6379');
    expect(settingOf('unixsocket')).toBe('""');
  });

  it('tells the server a hash and nobody the password', () => {
    expect(serverSettings(options)).not.toContain(options.password);
    const hash = createHash('sha256').update(options.password).digest('hex');
    expect(settingOf('user')).toMatch(new RegExp(`^default reset on #${hash} `));
    expect(settingOf('user')).not.toContain('nopass');
  });

  it('refuses administration, then allows what libraries ask for', () => {
    const rules = settingOf('user').split(' ');
    expect(rules.indexOf('-@admin')).toBeGreaterThan(rules.indexOf('+@all'));
    expect(rules.indexOf('+config|get')).toBeGreaterThan(rules.indexOf('-@admin'));
    expect(rules).toContain('-migrate');
    expect(rules).not.toContain('+config');
  });

  it('never drops what it was given', () => {
    expect(settingOf('maxmemory')).toBe(String(64 * MIB));
    expect(settingOf('maxmemory-policy')).toBe('noeviction');
    expect(settingOf('appendonly')).toBe('yes');
    expect(settingOf('appendfsync')).toBe('everysec');
  });

  it('bounds what clients make it buffer by its memory', () => {
    const large = { memoryBytes: 256 * MIB };
    expect(Number(settingOf('proto-max-bulk-len', large))).toBe(64 * MIB);
    expect(Number(settingOf('client-query-buffer-limit', large))).toBe(128 * MIB);
    expect(settingOf('client-output-buffer-limit', large)).toBe(`normal ${256 * MIB} 0 0`);
  });

  it('leaves room for a rewrite and an answer as large as the data', () => {
    expect(sandboxMemoryBytes(64 * MIB)).toBe(224 * MIB);
  });
});
