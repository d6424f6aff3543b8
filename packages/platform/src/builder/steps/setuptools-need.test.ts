import { describe, expect, it } from 'vitest';
import { unguardedLine } from './import-search.ts';
import { bringsPkgResources } from './setuptools-need.ts';

describe('unguardedLine', () => {
  const pattern = /^[ \t]*(import|from)[ \t]+pkg_resources\b/;

  it.each([
    ['import os\nimport pkg_resources\n', 2],
    ['def f():\n    from pkg_resources import x\n', 2],
    ['try:\n    import pkg_resources\nexcept ImportError:\n    pass\n', 0],
    ['try:\n    import pkg_resources\nexcept ImportError:\n    pass\nimport pkg_resources\n', 5],
    ['import pkg_resources_other\n', 0],
    ['', 0],
  ])('%j: %i', (text, line) => {
    expect(unguardedLine(text, pattern)).toBe(line);
  });
});

it.each([
  [undefined, false],
  ['65.5.0', true],
  ['80.9.0', true],
  ['82.0.1', false],
])('setuptools %s has pkg_resources: %s', (version, has) => {
  expect(bringsPkgResources(version)).toBe(has);
});
