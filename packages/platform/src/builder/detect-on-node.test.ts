import { describe, expect, it } from 'vitest';
import type { BuildInterpreter } from './collaborators.ts';
import { detectOnNode } from './detect-on-node.ts';
import { memoryTree } from './detect/source-tree.ts';

const interpreter = (version: string): BuildInterpreter => ({
  version,
  executable: `/opt/python/bin/python${version}`,
  layer: () => Promise.resolve(undefined),
});
const project = (python: string) =>
  memoryTree({
    'app.py': 'from flask import Flask\napp = Flask(__name__)\n',
    'requirements.txt': 'flask\n',
    'tandem.toml': `python = "${python}"\n`,
  });
const detectWith = async (python: string, fetched: string | Error) => {
  const asked: string[] = [];
  const detection = await detectOnNode(
    {
      interpreters: [interpreter('3.12.1')],
      fetchInterpreter: (specifier) => {
        asked.push(specifier);
        return fetched instanceof Error
          ? Promise.reject(fetched)
          : Promise.resolve(interpreter(fetched));
      },
    },
    project(python),
    {},
  );
  return { version: detection.pythonVersion, asked };
};

describe('an interpreter that the node lacks', () => {
  it.each([
    ['3.14', '3.14'],
    ['^3.14', '>=3.14,<4'],
    ['>=3.14,<3.15', '>=3.14,<3.15'],
  ])('is fetched for %s', async (python, asked) => {
    expect(await detectWith(python, '3.14.2')).toEqual({ version: '3.14.2', asked: [asked] });
  });

  it('is not when one of them fits', async () => {
    expect((await detectWith('3.12', new Error('no'))).asked).toEqual([]);
  });

  it('stays missing, with what was tried, when it cannot be fetched', async () => {
    await expect(detectWith('3.14', new Error('A download was tried.'))).rejects.toMatchObject({
      code: 'PYTHON_UNAVAILABLE',
      message: 'The project asks for Python 3.14; none available fits. A download was tried.',
      where: 'tandem.toml',
      hint: expect.stringContaining('available: 3.12.1') as string,
    });
  });

  it('stays missing when what came does not fit', async () => {
    await expect(detectWith('3.14', '3.13.1')).rejects.toMatchObject({
      code: 'PYTHON_UNAVAILABLE',
    });
  });
});
