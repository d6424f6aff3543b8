import { describe, expect, it } from 'vitest';
import { memoryTree } from '../detect/source-tree.ts';
import { explainNodeInstall, explainNodeScript } from './explain-node.ts';
import { readPackageJson, type PackageJson } from './package-json.ts';
import {
  detectPackageManager,
  installCommand,
  pruneCommand,
  scriptCommand,
} from './package-manager.ts';

function manager(files: Record<string, string>, directory = '') {
  const tree = memoryTree(files);
  return detectPackageManager(tree, readPackageJson(tree, directory) as PackageJson);
}
const MANIFEST = { 'package.json': '{}' };

describe('detectPackageManager', () => {
  it.each([
    [{ 'package-lock.json': '{}' }, 'npm', undefined],
    [{ 'yarn.lock': '# yarn lockfile v1\n' }, 'yarn', '^1.22'],
    [{ 'yarn.lock': '__metadata:\n  version: 8\n' }, 'berry', '>=4.0.0 <4.14.0'],
    [{ 'yarn.lock': '__metadata:\n  version: 10\n' }, 'berry', '^4.15'],
    [{ 'pnpm-lock.yaml': "lockfileVersion: '9.0'\n" }, 'pnpm', '^9'],
    [{ 'pnpm-lock.yaml': 'lockfileVersion: 5.4\n' }, 'pnpm', '^7'],
    [{ 'yarn.lock': '__metadata:\n  version: 6\n' }, 'berry', '^3'],
    [{ 'bun.lock': '{ "lockfileVersion": 1 }' }, 'bun', '^1.2'],
    [{ 'package-lock.json': '{}', 'bun.lockb': '' }, 'npm', undefined],
    [{}, 'npm', undefined],
  ])('knows %j', (files, name, range) => {
    expect(manager({ ...MANIFEST, ...files })).toMatchObject({ name, range });
  });

  it('takes the version that package.json names, and its lock among several', () => {
    const files = {
      'package.json': '{"packageManager": "pnpm@8.15.4+sha256.abc"}',
      'package-lock.json': '{}',
      'pnpm-lock.yaml': "lockfileVersion: '6.0'\n",
    };
    expect(manager(files)).toMatchObject({ name: 'pnpm', range: '8.15.4' });
  });

  it('finds the lock of a workspace above', () => {
    const files = { 'web/package.json': '{}', 'yarn.lock': '', 'package.json': '{}' };
    expect(manager(files, 'web')).toMatchObject({ directory: '', lockFile: 'yarn.lock' });
  });

  it('runs the Yarn that the project carries, and none from elsewhere', () => {
    const berry = { ...MANIFEST, 'yarn.lock': '__metadata:\n', '.yarn/releases/yarn-4.cjs': '' };
    const own = manager({ ...berry, '.yarnrc.yml': 'yarnPath: .yarn/releases/yarn-4.cjs\n' });
    expect(installCommand(own).args).toEqual([
      ...['node', '/app/.yarn/releases/yarn-4.cjs', 'install', '--immutable'],
    ]);
    const hostile = manager({ ...berry, '.yarnrc.yml': 'yarnPath: ../../x.cjs\n' });
    expect(scriptCommand(hostile, 'build').args).toEqual(['yarn', 'run', 'build']);
  });
});

describe('installCommand', () => {
  it('installs what is locked, and takes away what only building needs', () => {
    const npm = manager({ ...MANIFEST, 'package-lock.json': '{}' });
    expect(installCommand(npm).args).toEqual(['npm', 'ci', '--include=dev']);
    expect(pruneCommand(npm)?.args).toContain('--ignore-scripts');
    expect(installCommand(manager(MANIFEST)).args).toContain('--no-package-lock');
  });
});

describe('explainNodeInstall', () => {
  const npm = manager({ ...MANIFEST, 'package-lock.json': '{}' });
  const explain = (log: string) => explainNodeInstall(npm, log);

  it.each([
    [
      'npm error code EUSAGE\nnpm error `npm ci` can only install packages when in sync\n',
      'NODE_INSTALL_FAILED',
      'does not match package.json',
    ],
    [
      'npm error code ENOTFOUND\nnpm error errno ENOTFOUND getaddrinfo registry.invalid\n',
      'REGISTRY_UNREACHABLE',
      'registry.invalid did not answer (ENOTFOUND).',
    ],
    [
      ' WARN GET https://codeload.example/a/b error (ECONNRESET). Will retry in 10 seconds.\n',
      'REGISTRY_UNREACHABLE',
      'codeload.example did not answer (ECONNRESET).',
    ],
    ['error: ETIMEDOUT\n', 'REGISTRY_UNREACHABLE', 'The npm registry did not answer (ETIMEDOUT).'],
    [
      'npm error code E404\nnpm error 404 Not Found - GET https://r/x - Not found\n',
      'NODE_INSTALL_FAILED',
      '404 Not Found',
    ],
    [
      'npm error code ERESOLVE\nnpm error Could not resolve dependency:\nnpm error peer react@"^17" from x@1\n',
      'NODE_INSTALL_FAILED',
      'peer react',
    ],
    ['tar: No space left on device\n', 'DISK_FULL', ''],
    ['npm error gyp ERR! stack Error: not found: make\n', 'NODE_INSTALL_FAILED', 'not found: make'],
  ])('%j', (log, code, said) => {
    expect(explain(log)).toMatchObject({
      code,
      message: expect.stringContaining(said) as string,
    });
  });
});

describe('explainNodeScript', () => {
  const explain = (logTail: string) =>
    explainNodeScript({ command: 'npm run build', where: 'package.json:4', logTail });

  it("gives the script's own last lines", () => {
    const log = `
> site@1.0.0 build
> vite build

error during build:
Could not resolve entry module "index.html".
npm error Lifecycle script \`build\` failed with error:
npm error code 1
`;
    expect(explain(log)).toMatchObject({
      code: 'NODE_BUILD_FAILED',
      message:
        '"npm run build" failed: error during build:\nCould not resolve entry module "index.html".',
      where: 'package.json:4',
    });
  });

  it('knows when memory ran out', () => {
    const log =
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n';
    expect(explain(log)).toMatchObject({ code: 'OUT_OF_MEMORY' });
  });

  it('says so when there is nothing', () => {
    expect(explain('\n')).toMatchObject({
      message: '"npm run build" failed: it said nothing',
    });
  });
});
