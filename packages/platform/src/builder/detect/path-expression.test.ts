import { describe, expect, it } from 'vitest';
import { evaluatePath } from './path-expression.ts';

const KNOWN: Record<string, string> = {
  BASE_DIR: '/app',
  UPLOAD_FOLDER: '/app/up',
  instance_path: '/app/instance',
};
const value = (text: string) =>
  evaluatePath(text, {
    file: '/app/shop/config.py',
    directory: '/app',
    lookUp: (name) => KNOWN[name],
  });

describe('a path in Python', () => {
  it.each([
    [`'media'`, 'media'],
    [`'me' 'dia'`, 'media'],
    [`os.path.join(BASE_DIR, 'media')`, '/app/media'],
    [`os.path.join(BASE_DIR, 'a', "b", 'c/')`, '/app/a/b/c'],
    [`os.path.join(BASE_DIR, '/var/x')`, '/var/x'],
    [`BASE_DIR / 'a' / "b"`, '/app/a/b'],
    [`BASE_DIR.parent / 'a'`, '/a'],
    [`str(BASE_DIR / 'a')`, '/app/a'],
    [`Path(__file__).resolve().parent.parent / 'logs'`, '/app/logs'],
    [`Path(__file__).parents[1] / 'logs'`, '/app/logs'],
    [`pathlib.Path(__file__).parent.joinpath('x', 'y')`, '/app/shop/x/y'],
    [`os.path.abspath(os.path.dirname(__file__))`, '/app/shop'],
    [`os.path.abspath('data')`, '/app/data'],
    [`os.path.join(os.path.dirname(os.path.dirname(__file__)), 'x')`, '/app/x'],
    [`os.path.join(os.getcwd(), 'x')`, '/app/x'],
    [`os.path.join(app.instance_path, 'x.db')`, '/app/instance/x.db'],
    [`app.config['UPLOAD_FOLDER']`, '/app/up'],
    [`os.environ.get('DATA', 'data')`, 'data'],
    [`os.getenv("DATA", os.path.join(BASE_DIR, "data"))`, '/app/data'],
    [`config('DATA', default='data')`, 'data'],
    [
      `os.environ.get('DATABASE_URL') or 'sqlite:///' + os.path.join(BASE_DIR, 'app.db')`,
      'sqlite:////app/app.db',
    ],
    [`f"sqlite:///{BASE_DIR}/x.db"`, 'sqlite:////app/x.db'],
    [`f"sqlite:///{os.path.join(BASE_DIR, 'x.db')}"`, 'sqlite:////app/x.db'],
    [`'x.db', exist_ok=True)`, 'x.db'],
    [`(BASE_DIR / 'x').resolve()`, '/app/x'],
    [`Path(BASE_DIR, 'x')`, '/app/x'],
    [`current_app.config.UPLOAD_FOLDER`, '/app/up'],
  ])('%s', (text, expected) => expect(value(text)).toBe(expected));

  it.each([
    '',
    'x',
    'x.y.z',
    'make_path("media")',
    'os.path.join(folder, "media")',
    'folder / "media"',
    'f"{folder}/media"',
    `os.environ['DATA']`,
    `os.environ.get('DATA')`,
    `paths[0]`,
    `'a' + folder`,
    `Path(__file__).parents[n]`,
    `${'('.repeat(200)}'x'`,
    `BASE_DIR /`,
  ])('not %j', (text) => expect(value(text)).toBeUndefined());
});
