import { describe, expect, it } from 'vitest';
import { ancestry, assignments, copiedFrom, parseDockerfile, runsPython } from './dockerfile.ts';

const stage = (text: string, name: string) => {
  const stages = parseDockerfile(text);
  const one = stages.find((each) => each.name === name);
  if (one === undefined) throw new Error(`no stage ${name}`);
  return { stages, one };
};

describe('parseDockerfile', () => {
  it('knows stages, their images and the lines of instructions', () => {
    const stages = parseDockerfile(
      'ARG V=3.12\nFROM --platform=linux/amd64 python:${V}-slim AS Base\nRUN a\nFROM base\nCMD ["b"]\n',
    );
    expect(stages.map(({ name, image }) => [name, image])).toEqual([
      ['Base', 'python:3.12-slim'],
      [undefined, 'base'],
    ]);
    expect(stages[1]?.instructions).toEqual([{ name: 'CMD', text: '["b"]', line: 5 }]);
  });

  it('joins continued lines across comments and empty ones', () => {
    const [one] = parseDockerfile('FROM x\nRUN a \\\n  # why\n\n  && b \\\n  c\nUSER d\n');
    expect(one?.instructions.map(({ text, line }) => [text, line])).toEqual([
      ['a  && b  c', 2],
      ['d', 7],
    ]);
  });

  it('keeps what a heredoc runs, not what it copies', () => {
    const [one] = parseDockerfile(
      'FROM x\nRUN <<EOF\napt-get install -y ffmpeg\nEOF\nCOPY <<"END" /a\nCMD no\nEND\nCMD yes\n',
    );
    expect(one?.instructions.map(({ name }) => name)).toEqual(['RUN', 'COPY', 'CMD']);
    expect(one?.instructions[0]?.text).toBe('apt-get install -y ffmpeg');
    expect(one?.instructions[2]?.text).toBe('yes');
  });

  it.each(['', 'RUN a\n', 'FROM', 'FROM x\nRUN <<EOF\nnever ends', 'FROM x\nRUN a \\', '\\'])(
    'lives with %j',
    (text) => {
      expect(() => parseDockerfile(text)).not.toThrow();
    },
  );

  it('gives nothing for another escape', () => {
    expect(parseDockerfile('# escape=`\nFROM x\n')).toEqual([]);
  });
});

describe('stages', () => {
  const text = `FROM node:22 AS front
RUN npm ci
FROM python:3.12 AS base
FROM base AS build
RUN pip install .
FROM base AS app
COPY --from=build /venv /venv
COPY --from=front /dist /dist
RUN --mount=type=bind,from=0,source=/a a
FROM nginx AS static
COPY --from=app /static /static
`;

  it('go back to what they are made from and copy from', () => {
    const { stages, one } = stage(text, 'app');
    expect(ancestry(stages, one).map(({ name }) => name)).toEqual(['base', 'app']);
    expect(copiedFrom(stages, one).map(({ name }) => name)).toEqual(['front', 'build']);
  });

  it.each([
    ['app', true],
    ['front', false],
    ['static', false],
  ])('%s runs Python: %s', (name, wanted) => {
    const { stages, one } = stage(text, name);
    expect(runsPython(stages, one)).toBe(wanted);
  });

  it('may be an image that gets its Python', () => {
    const { stages, one } = stage('FROM debian:12 AS a\nRUN apt-get install python3\n', 'a');
    expect(runsPython(stages, one)).toBe(true);
  });
});

describe('assignments', () => {
  it.each<[string, [string, string][]]>([
    [
      'A=1 B="two words" C=\'x\'',
      [
        ['A', '1'],
        ['B', 'two words'],
        ['C', 'x'],
      ],
    ],
    ['A to the end', [['A', 'to the end']]],
    ['A="say \\"hi\\""', [['A', 'say "hi"']]],
    ['A=', [['A', '']]],
    ['A', []],
    ['=', []],
  ])('%s', (text, wanted) => {
    expect(assignments(text)).toEqual(wanted);
  });
});
