import { TandemError } from '@tandem/protocol';
import { describe, expect, it } from 'vitest';
import type { VolumeCandidate } from './detect/volume-paths.ts';
import { planVolume, type VolumePlanInput } from './volume-plan.ts';

const GIB = 1024 ** 3;
const sure = (path: string, kind: 'directory' | 'file' = 'directory'): VolumeCandidate => ({
  path,
  kind,
  isSure: true,
  why: 'a test',
  evidence: 'app.py:1',
});
const likely = (path: string, kind: 'directory' | 'file' = 'directory') => ({
  ...sure(path, kind),
  isSure: false,
});
const plan = (candidates: VolumeCandidate[], more: Partial<VolumePlanInput> = {}) =>
  planVolume({ root: '', candidates, sourceFiles: [], ...more });
const paths = (candidates: VolumeCandidate[], more: Partial<VolumePlanInput> = {}) =>
  plan(candidates, more).plan?.paths.map(({ path, kind = 'directory' }) => `${kind} ${path}`) ?? [];
const said = (candidates: VolumeCandidate[], more: Partial<VolumePlanInput> = {}) =>
  plan(candidates, more).findings.map(({ value, why }) => `${value}: ${why}`);

describe('the volume', () => {
  it('is none when nothing must survive', () => {
    expect(plan([])).toEqual({ plan: undefined, findings: [] });
  });

  it('is of one GiB unless the user says more', () => {
    expect(plan([sure('/app/media')]).plan?.sizeBytes).toBe(GIB);
    const config = { size: '2GiB' };
    expect(plan([sure('/app/media')], { config }).plan?.sizeBytes).toBe(2 * GIB);
  });

  it.each(['1KiB', 'large', '0GiB', ''])('refuses the size %j', (size) => {
    expect(() => plan([], { config: { size } })).toThrow(TandemError);
  });

  it('has what the user names, relative to the root or absolute', () => {
    const config = { paths: ['media', './logs/', '/data'] };
    expect(paths([], { config, root: 'web' })).toEqual([
      'directory /app/web/media',
      'directory /app/web/logs',
      'directory /data',
    ]);
  });

  it.each(['.', '', '..', '../..', '/etc', 'a b', '/app', '/'])('refuses the path %j', (path) => {
    expect(() => plan([], { config: { paths: [path] } })).toThrow(/cannot lie on a volume/);
  });

  it('has nothing else when detection is turned off', () => {
    const config = { paths: ['data'], detect: false };
    expect(paths([sure('/app/media')], { config, mediaRoot: '/app/m' })).toEqual([
      'directory /app/data',
    ]);
  });

  it('has uploads where the static server reads them', () => {
    const { plan: volume } = plan([sure('/app/media')], { mediaRoot: '/app/media' });
    expect(volume?.paths).toMatchObject([{ path: '/app/media', isPublic: true }]);
  });
});

describe('a file', () => {
  it('takes its directory along', () => {
    expect(paths([sure('/app/data/x.db', 'file')])).toEqual(['directory /app/data']);
    const sourceFiles = ['data/.gitkeep', 'data/x.db', 'README.md'];
    expect(paths([sure('/app/data/x.db', 'file')], { sourceFiles })).toEqual([
      'directory /app/data',
    ]);
  });

  it('goes alone where its directory is the root, or holds more of the source', () => {
    expect(paths([sure('/app/db.sqlite3', 'file')])).toEqual(['file /app/db.sqlite3']);
    expect(paths([sure('/app/web/x.db', 'file')], { root: 'web' })).toEqual(['file /app/web/x.db']);
    const sourceFiles = ['shop/models.py'];
    expect(paths([sure('/app/shop/x.db', 'file')], { sourceFiles })).toEqual([
      'file /app/shop/x.db',
    ]);
  });

  it('that the source brings and that is only perhaps written stays as the release has it', () => {
    const sourceFiles = ['countries.json', 'app.py'];
    expect(paths([likely('/app/countries.json', 'file')], { sourceFiles })).toEqual([]);
    expect(paths([sure('/app/countries.json', 'file')], { sourceFiles })).toEqual([
      'file /app/countries.json',
    ]);
  });
});

describe('a directory', () => {
  it('that holds code stays out, with a word about it', () => {
    const sourceFiles = ['static/site.css', 'app.py'];
    expect(paths([sure('/app/static')], { sourceFiles })).toEqual([]);
    expect(said([sure('/app/static')], { sourceFiles })).toEqual([
      'static stays read-only: static/site.css is code, and later releases would not show; if the app writes there: [volume] paths = ["static"] in tandem.toml',
    ]);
    expect(paths([], { sourceFiles, config: { paths: ['static'] } })).toEqual([
      'directory /app/static',
    ]);
  });

  it('that holds files of the source goes on it when the app surely writes there', () => {
    const sourceFiles = ['data/towns.csv'];
    expect(paths([likely('/app/data')], { sourceFiles })).toEqual([]);
    expect(said([likely('/app/data')], { sourceFiles })[0]).toContain('part of the source');
    expect(paths([sure('/app/data')], { sourceFiles })).toEqual(['directory /app/data']);
    expect(paths([likely('/app/data')], { sourceFiles: ['data/.gitkeep'] })).toEqual([
      'directory /app/data',
    ]);
  });

  it('of uploads may hold scripts and styles, but no Python', () => {
    const mediaRoot = '/app/media';
    const css = paths([], { mediaRoot, sourceFiles: ['media/x.css'] });
    expect(css).toEqual(['directory /app/media']);
    expect(paths([], { mediaRoot, sourceFiles: ['media/x.py'] })).toEqual([]);
  });

  it('is never the project, nor what lies above it', () => {
    for (const path of ['/app', '/app/web', '/']) {
      expect(paths([sure(path)], { root: 'web/site' })).toEqual([]);
    }
    expect(paths([sure('/app/web/site')], { root: 'web/site' })).toEqual([]);
  });

  it('takes in what lies below', () => {
    const wanted = [sure('/app/instance/up'), sure('/app/instance'), sure('/app/instance')];
    expect(paths(wanted)).toEqual(['directory /app/instance']);
  });

  it('of the system is named when data would be lost there, and not for scratch', () => {
    const database = { ...sure('/tmp/x.db'), why: 'the SQLite database SQLALCHEMY_DATABASE_URI' };
    expect(said([database])[0]).toMatch(/^\/tmp\/x\.db does not survive/);
    expect(said([sure('/usr/share/x'), sure('/tmp/x'), likely('/etc/y')])).toEqual([
      '/usr/share/x does not survive: a test; choose a path below the project or /data',
    ]);
  });
});
