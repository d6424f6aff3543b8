import { describe, expect, it } from 'vitest';
import { namedCommand, settingsModuleOf } from './named-commands.ts';

const findings = [
  { rule: 'settings', value: 'site.settings', why: 'named by wsgi.py', evidence: 'wsgi.py:3' },
  {
    rule: 'process',
    value: 'web: gunicorn app',
    why: 'named by the project',
    evidence: 'Procfile:1',
  },
  { rule: 'process', value: 'worker left out', why: '"x" is for development' },
  { rule: 'release', value: 'release: ./load.sh', why: 'named by the project' },
];

describe('namedCommand', () => {
  it('gives the line that names a command', () => {
    expect(namedCommand({ findings }, 'web')).toBe('Procfile:1 web: gunicorn app');
    expect(namedCommand({ findings }, 'release')).toBe('release: ./load.sh');
  });

  it("knows none for a command that is not the project's", () => {
    expect(namedCommand({ findings }, 'worker')).toBeUndefined();
    expect(namedCommand({ findings: [] }, 'web')).toBeUndefined();
  });

  it('finds the settings module', () => {
    expect(settingsModuleOf({ findings })).toBe('site.settings');
    expect(settingsModuleOf({ findings: [] })).toBeUndefined();
  });
});
