import { describe, expect, it } from 'vitest';
import { interpolate } from './interpolation.ts';
import { shellSteps } from './shell-steps.ts';

const words = (text: string) => shellSteps(text).map((step) => step.words);
const certain = (text: string) =>
  shellSteps(text)
    .filter(({ conditional }) => !conditional)
    .map((step) => step.words.join(' '));

describe('shellSteps', () => {
  it('parts commands where a shell does', () => {
    expect(words('a && b; c | d & e\nf')).toEqual([['a'], ['b'], ['c'], ['d'], ['e'], ['f']]);
  });

  it('keeps what stands in quotes together', () => {
    expect(words(`sh -c 'a && b' "c;d" e\\ f`)).toEqual([['sh', '-c', 'a && b', 'c;d', 'e f']]);
    expect(words(`'app:create_app()'`)).toEqual([['app:create_app()']]);
  });

  it('joins continued lines, leaves comments out, and knows the lines', () => {
    const steps = shellSteps('# head\nset -e\n\ngunicorn \\\n  shop:app # here\necho a#b');
    expect(steps.map(({ words: [first], line }) => [first, line])).toEqual([
      ['set', 2],
      ['gunicorn', 4],
      ['echo', 6],
    ]);
    expect(steps[1]?.words).toEqual(['gunicorn', 'shop:app']);
    expect(steps[2]?.words).toEqual(['echo', 'a#b']);
  });

  it('does not take redirections for words or ends', () => {
    expect(words('a 2>&1 >>log 2>/dev/null b')).toEqual([['a', 'b']]);
  });

  it('tells what may not run', () => {
    const text = `if [ "$A" = 1 ]; then
  one
fi
while ! nc -z db 5432; do sleep 1; done
for x in a b; do two; done
case $1 in
  web) three ;;
esac
four || exit 1
five`;
    expect(certain(text)).toEqual(['four', 'five']);
  });

  it('does not run functions, nor what a command is fed', () => {
    const text = `start() {
  gunicorn inner:app
}
function other
{
  celery -A inner worker
}
python << END
import celery; worker()
END
gunicorn outer:app`;
    expect(words(text).map(([first]) => first)).toEqual(['python', 'gunicorn']);
    expect(words(text).at(-1)).toEqual(['gunicorn', 'outer:app']);
  });

  it.each(['"', "'", '$(', '${', '`', '\\', 'a "b', 'x() {', 'if', '&&', '<<EOF', ')'])(
    'ends with %s left open',
    (text) => {
      expect(Array.isArray(shellSteps(`a ${text}`))).toBe(true);
      expect(Array.isArray(shellSteps(text))).toBe(true);
    },
  );

  it('reads no more than a bound', () => {
    expect(shellSteps('a;'.repeat(1_000_000)).length).toBeLessThan(50_000);
  });
});

describe('interpolate', () => {
  it.each([
    ['${X:-y}', 'y', true],
    ['${X-y}/z', 'y/z', true],
    ['$$X', '$X', true],
    ['plain', 'plain', true],
    ['${X:-}', '', true],
    ['${X:-"y z"}', 'y z', true],
    ['$X', '$X', false],
    ['${X}', '$X', false],
    ['${X:?must be set}', '$X', false],
    ['${X:+y}', '$X', false],
    ['${X:-$Y}', '$Y', false],
    ['${X:-${Y}}', '${X:-$Y}', false],
    ['$(cat key)', '$(cat key)', false],
  ])('%s', (text, wanted, isFixed) => {
    expect(interpolate(text)).toEqual({ text: wanted, isFixed });
  });

  it('knows what the file sets itself', () => {
    const values = new Map([['A', 'b']]);
    expect(interpolate('$A/${A}/${A:-c}', values)).toEqual({ text: 'b/b/b', isFixed: true });
  });
});
