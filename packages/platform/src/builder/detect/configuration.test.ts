import { describe, expect, it } from 'vitest';
import { readConfiguration } from './configuration.ts';
import { memoryTree } from './source-tree.ts';

const read = (toml: string) => readConfiguration(memoryTree({ 'tandem.toml': toml })).config;

describe('paths and variables in tandem.toml', () => {
  it('are relative to the top, which has an empty name', () => {
    const paths = 'pythonpath = ["lib/", "./apps", ".", "src/.hidden"]';
    expect(read(paths).pythonpath).toEqual(['lib', 'apps', '', 'src/.hidden']);
    expect(read('[env]\nA = "1"\nB = ""\n').env).toEqual({ A: '1', B: '' });
  });

  it.each([
    'pythonpath = ["/usr/lib"]',
    'pythonpath = ["../up"]',
    'pythonpath = ["a/../../up"]',
    'pythonpath = "lib"',
    '[env]\nPORT = "1"',
    '[env]\nTANDEM_APP = "x"',
    '[env]\nA-B = "x"',
    '[env]\nA = 1',
  ])('%j is refused', (toml) => {
    expect(() => read(toml)).toThrow(expect.objectContaining({ code: 'TANDEM_TOML_INVALID' }));
  });
});
