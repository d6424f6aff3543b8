import { describe, expect, it } from 'vitest';
import { detectDependencyFiles } from '../detect/dependency-files.ts';
import { memoryTree } from '../detect/source-tree.ts';
import {
  apart,
  buildNeedsModule,
  buildRequirements,
  failedItself,
  withoutItself,
} from './own-build.ts';

const MISSING = `ModuleNotFoundError: No module named 'msgspec'`;

describe('buildNeedsModule', () => {
  it.each([
    [true, `error: The build backend returned an error\n  ${MISSING}`],
    [
      true,
      `error: Failed to build \`shop @ file:///app\`\n  cause: The build backend returned an error\n ${MISSING}`,
    ],
    [
      false,
      `error: Failed to build \`old==1.0\`\n  cause: The build backend returned an error\n ${MISSING}`,
    ],
    [false, 'error: The build backend returned an error\n  SyntaxError: invalid syntax'],
    [false, MISSING],
  ])('%s for %j', (expected, log) => {
    expect(buildNeedsModule(log)).toBe(expected);
  });
});

it.each([
  [true, 'The build backend returned an error', '-e .\n'],
  [true, 'Failed to build `x @ file:///app`', '-e .[prod]\n'],
  [false, 'The build backend returned an error', '-e .\n./lib\n'],
  [false, 'Failed to build `six==1`', '-e .\n'],
  [false, 'No solution found', '-e .\n'],
])('it is %s that the project itself failed: %j of %j', (expected, log, paths) => {
  expect(failedItself(log, paths)).toBe(expected);
});

describe('withoutItself', () => {
  const reduced = (files: Record<string, string>) =>
    withoutItself(detectDependencyFiles(memoryTree(files), '').value);

  it('asks for what setup.py lists', () => {
    const setup =
      'from setuptools import setup\nsetup(name="x", install_requires=["six", "flask"])\n';
    expect(reduced({ 'setup.py': setup })).toMatchObject({
      kind: 'requirements',
      requirements: 'six\nflask\n',
      installProject: false,
    });
  });

  it('or for what its files do, without paths', () => {
    const files = { 'requirements.txt': '-e .\nsix\n./lib\nown @ file:///app/own\n' };
    expect(reduced(files)?.requirements).toBe('six\n');
  });

  it('is nothing where only the build knows', () => {
    const setup =
      'from setuptools import setup\nimport x\nsetup(name="x", install_requires=x.needs())\n';
    expect(reduced({ 'setup.py': setup })).toBeUndefined();
  });
});

it('takes a lock apart', () => {
  const lock =
    '# index: x\n--index-url https://a.example\n-e .\nsix==1 \\\n    --hash=sha256:0\n./lib\nown @ file:///app/own\n';
  expect(apart(lock)).toEqual({
    paths: '-e .\n./lib\nown @ file:///app/own\n',
    rest: '# index: x\n--index-url https://a.example\nsix==1      --hash=sha256:0\n\n',
  });
});

it('builds with what the project asks for, else with setuptools', () => {
  const text = '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\n';
  expect(buildRequirements(memoryTree({ 'a/pyproject.toml': text }), 'a')).toEqual([
    'hatchling',
    'hatch-vcs',
  ]);
  expect(buildRequirements(memoryTree({}), '')).toEqual(['setuptools', 'wheel']);
});
