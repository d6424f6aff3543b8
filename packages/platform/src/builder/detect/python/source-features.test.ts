import { describe, expect, it } from 'vitest';
import { neededPython } from './source-features.ts';

const needed = (text: string) => {
  const found = neededPython(text, 8);
  return found === undefined ? undefined : `3.${found.minor} ${found.what} :${found.line}`;
};

describe('neededPython', () => {
  it.each([
    ['match x:\n    case 1:\n        pass\n', '3.10 a match statement :1'],
    ['def f():\n    match (a, b):  # two\n        case _: pass\n', '3.10 a match statement :2'],
    ['try:\n    pass\nexcept* ValueError:\n    pass\n', '3.11 except* :3'],
    ['type Row = dict[str, int]\n', '3.12 a type statement :1'],
    ['def first[T](items: T) -> T: ...\n', '3.12 type parameters :1'],
    ['class Box[T]:\n    pass\n', '3.12 type parameters :1'],
    [
      'try:\n    pass\nexcept OSError, shop.Missing:\n    pass\n',
      '3.14 except without brackets :3',
    ],
    [
      '@dataclass(frozen=True, slots=True)\nclass A: ...\n',
      '3.10 slots or kw_only of a dataclass :1',
    ],
    ['import os, tomllib\n', '3.11 tomllib :1'],
    ['from zoneinfo import ZoneInfo\n', '3.9 zoneinfo :1'],
    ['from typing import (\n    Any,\n    Self as Me,\n)\n', '3.11 typing.Self :1'],
    ['from datetime import UTC, datetime\n', '3.11 datetime.UTC :1'],
    ['from typing import ParamSpec, override\n', '3.12 typing.override :1'],
    ['def f(a: int | None = None): ...\n', '3.10 "int | None" as an annotation :1'],
    ['def f(a=1, *rest: int) -> "x" | None: pass\n', undefined],
    [
      'def f(\n    a,\n    b: Optional[dict[str, int]] = {},\n): ...\n',
      '3.9 "Optional[dict[str, int]]" as an annotation :1',
    ],
    ['def f(a) -> list[str]: return [b for b in a]\n', '3.9 "list[str]" as an annotation :1'],
    ['async def f() -> A | B:\n    pass\n', '3.10 "A | B" as an annotation :1'],
    ['names: dict[str, int] = {}\n', '3.9 "dict[str, int]" as an annotation :1'],
  ])('%j: %s', (text, expected) => {
    expect(needed(text)).toBe(expected);
  });

  it.each([
    ['postponed', 'from __future__ import annotations\ndef f(a: int | None) -> list[str]: ...\n'],
    ['in strings', 'def f(a: "int | None", b: "list[str]"): ...\nx = "match y:"\n'],
    ['in comments', '# match x:\n# import tomllib\n'],
    ['in a function', 'def f():\n    a: list[int] = []\n'],
    ['guarded', 'try:\n    import tomllib\nexcept ImportError:\n    import tomli as tomllib\n'],
    ['by version', 'if sys.version_info >= (3, 11):\n    from typing import Self\n'],
    ['a name match', 'match = re.match(x)\nmatch(x)\nmatch["a"]: int = 1\n'],
    ['a name type', 'type = 1\nprint(type (x) == y)\n'],
    ['another module of the name', 'from mine.typing import Self\nfrom .enum import StrEnum\n'],
    ['a name like one', 'from typing import SelfMade, Any\n'],
    ['operators', 'x = a | b\nflags: int = A | B\ndef f(x=a | b, y: int = c | d): ...\n'],
    ['Python 2', 'try:\n    pass\nexcept ValueError, error:\n    pass\n'],
    ['own subscripts', 'list[0] = 1\ndef f(a: my.list[int]): ...\n'],
  ])('not what is %s', (_, text) => {
    expect(needed(text)).toBeUndefined();
  });

  it.each([
    ['if (n := len(a)) > 1:\n    pass\n', 'an assignment within an expression'],
    ['def f(a, /, b): ...\n', 'positional-only parameters'],
    ['from typing import Literal\n', 'typing.Literal'],
    ['from importlib.metadata import version\n', 'importlib.metadata'],
    ['from importlib import metadata\n', 'importlib.metadata'],
    ['x = f"{a:=^9}"\ny = a[1:]\nz: int = a / b\n', undefined],
    ['try:\n    from typing import Literal\nexcept ImportError:\n    pass\n', undefined],
  ])('%j needs 3.8 for %s', (text, what) => {
    expect(neededPython(text, 7)?.what).toBe(what);
  });

  it('the newest of several, once it is newer than what is asked for', () => {
    const text = 'import zoneinfo\nfrom enum import StrEnum\ndef f(a: int | None): ...\n';
    expect(neededPython(text, 8)).toMatchObject({ minor: 11, line: 2 });
    expect(neededPython(text, 11)).toBeUndefined();
    expect(needed('def f(a: int | None, /): ...\n')).toContain('3.10 ');
  });
});
