import { describe, expect, it } from 'vitest';
import { findCode, logicalLines, unclosedBracket } from './python-source.ts';

describe('logicalLines', () => {
  it('finds a bracket that is never closed', () => {
    expect(unclosedBracket('a = (1,\n  2)\ndef f(:\n  pass\nb = 1\n')).toBe(3);
    expect(unclosedBracket('a = "("  # (\n')).toBeUndefined();
  });

  it('drops comments and joins brackets and backslashes', () => {
    const lines = logicalLines(
      '# app = Flask(x)\napp = Flask(  # here\n  __name__,\n)\nx = 1 + \\\n  2\n',
    );
    expect(lines.map((line) => line.line)).toEqual([2, 5]);
    expect(lines[0]?.code).toMatch(/^app = Flask\(\s+__name__,\s+\)$/);
  });

  it('is not fooled by strings', () => {
    const source = '"""\napp = Flask(__name__)\n"""\nx = "# no comment" # one\ny = \'it\\\'s\'\n';
    const lines = logicalLines(source);
    expect(lines.map((line) => line.code)).toEqual(['""', 'x = ""', "y = ''"]);
    expect(lines[1]?.text).toBe('x = "# no comment"');
    expect(lines[1]?.line).toBe(4);
  });

  it('knows indentation', () => {
    const lines = logicalLines('def main():\n    import django\n');
    expect(lines.map((line) => line.indent)).toEqual([0, 4]);
  });

  it('survives what is no Python', () => {
    expect(logicalLines('"unclosed\n((((\n')).toHaveLength(2);
    expect(findCode(undefined, /x/)).toBeUndefined();
  });
});
