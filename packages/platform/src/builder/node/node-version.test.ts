import { describe, expect, it } from 'vitest';
import { memoryTree } from '../detect/source-tree.ts';
import { chooseNodeVersion, chooseToolVersion, detectNodeVersion } from './node-version.ts';
import { readPackageJson, type PackageJson } from './package-json.ts';

const PUBLISHED = [
  '16.20.2',
  '18.20.8',
  '20.19.1',
  '21.7.3',
  '22.23.3',
  '24.2.0',
  '24.21.0',
  '26.1.0',
];

function wish(files: Record<string, string>, configured?: string) {
  const tree = memoryTree({ 'package.json': '{}', ...files });
  const manifest = readPackageJson(tree, '') as PackageJson;
  return detectNodeVersion(tree, manifest, [''], configured);
}
const chosen = (files: Record<string, string>) => chooseNodeVersion(wish(files).range, PUBLISHED);

describe('the version of Node.js', () => {
  it.each([
    ['.nvmrc', 'v20\n', '20.19.1'],
    ['.nvmrc', 'lts/iron\n', '20.19.1'],
    ['.nvmrc', 'hydrogen', '18.20.8'],
    ['.nvmrc', 'lts/*', '24.21.0'],
    ['.node-version', '24.2.0\n', '24.2.0'],
    ['.tool-versions', 'python 3.12.1\nnodejs 22.23.3\n', '22.23.3'],
    ['package.json', '{"engines": {"node": ">=18 <21"}}', '20.19.1'],
    ['package.json', '{"engines": {"node": ">=14"}}', '24.21.0'],
    ['package.json', '{"engines": {"node": "21.x"}}', '21.7.3'],
    ['package.json', '{"engines": {"node": "26"}}', '26.1.0'],
    ['package.json', '{"volta": {"node": "18.20.8"}}', '18.20.8'],
    ['package.json', '{"engines": {"node": "whatever"}}', '24.21.0'],
    ['package.json', '{}', '24.21.0'],
  ])('by %s %j is %s', (file, text, version) => {
    expect(chosen({ [file]: text })).toBe(version);
  });

  it('in tandem.toml counts before all others', () => {
    expect(wish({ '.nvmrc': '18' }, '22')).toMatchObject({ range: '22', evidence: 'tandem.toml' });
  });

  it('says where it was read', () => {
    expect(wish({ '.nvmrc': '18' }).evidence).toBe('.nvmrc');
  });

  it('is none when nothing that was published fits', () => {
    expect(chooseNodeVersion('12', PUBLISHED)).toBeUndefined();
  });
});

describe('chooseToolVersion', () => {
  const published = {
    '10.9.2': { node: '^18.17.0 || >=20.5.0' },
    '11.4.0': { node: '^20.17.0 || >=22.9.0' },
    '12.0.0-rc.1': { node: undefined },
  };

  it('is the newest that runs on this Node', () => {
    expect(chooseToolVersion('*', '24.21.0', published)).toBe('11.4.0');
    expect(chooseToolVersion('*', '18.20.8', published)).toBe('10.9.2');
    expect(chooseToolVersion('^10', '24.21.0', published)).toBe('10.9.2');
    expect(chooseToolVersion('*', '16.20.2', published)).toBeUndefined();
  });
});
