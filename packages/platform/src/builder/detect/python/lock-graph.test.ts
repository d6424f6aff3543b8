import { describe, expect, it } from 'vitest';
import { lockReach } from './lock-graph.ts';
import { markerEndsAt } from './python-marker.ts';

describe('markerEndsAt', () => {
  it.each([
    [undefined, Infinity],
    ['sys_platform == "linux"', Infinity],
    ['python_version < "3.9"', 9],
    ["python_full_version < '3.9.0'", 9],
    ["python_full_version < '3.9.7'", 10],
    ['python_version <= "3.8"', 9],
    ['python_version == "3.8" and extra == "x"', 9],
    ['python_version >= "3.8"', Infinity],
    ['python_version < "3.11" and python_version < "3.9"', 9],
    ['python_version < "3.9" or python_version < "3.11"', 11],
    ['python_version < "3.9" or sys_platform == "win32"', Infinity],
    ['python_version < "4"', Infinity],
    ['python_version < "3"', 0],
    ['python_version < "2.7"', 0],
  ])('%s: %d', (marker, expected) => {
    expect(markerEndsAt(marker)).toBe(expected);
  });
});

describe('lockReach', () => {
  const pyproject = `[project]
name = "shop"
dependencies = ["Flask[async]>=2", "old; python_version < '3.10'"]
[dependency-groups]
dev = ["mypy"]
`;
  const reach = (packages: readonly unknown[], text = pyproject) =>
    Object.fromEntries(lockReach(packages, text) ?? []);

  it('follows what uv lists, and ends where a marker does', () => {
    const packages = [
      {
        name: 'flask',
        dependencies: [{ name: 'zipp', marker: "python_full_version < '3.10'" }],
        'optional-dependencies': { async: [{ name: 'asgiref' }] },
      },
      { name: 'asgiref', dependencies: [{ name: 'typing', marker: "python_version < '3.11'" }] },
      { name: 'zipp', dependencies: [{ name: 'below' }] },
      { name: 'old', dependencies: [{ name: 'typing', marker: "python_version < '3.12'" }] },
      { name: 'mypy', dependencies: [{ name: 'of-mypy' }] },
    ];
    expect(reach(packages)).toMatchObject({
      flask: Infinity,
      asgiref: Infinity,
      zipp: 10,
      below: 10,
      old: 10,
      typing: 11,
    });
    expect(reach(packages)).not.toHaveProperty('of-mypy');
  });

  it('and what Poetry has by name', () => {
    const poetry = '[tool.poetry.dependencies]\npython = "^3.8"\ndjango = "^4"\n';
    const packages = [
      {
        name: 'Django',
        dependencies: {
          'backports.zoneinfo': { version: '*', markers: 'python_version < "3.9"' },
          argon2: { version: '*', optional: true },
          sqlparse: '>=0.2',
        },
      },
    ];
    expect(reach(packages, poetry)).toEqual({
      django: Infinity,
      'backports-zoneinfo': 9,
      sqlparse: Infinity,
    });
  });

  it('ends where a lock turns in a circle', () => {
    const packages = [
      { name: 'flask', dependencies: [{ name: 'a' }] },
      { name: 'a', dependencies: [{ name: 'flask' }, { name: 'a' }] },
    ];
    expect(reach(packages)).toMatchObject({ a: Infinity });
  });

  it('is not known without roots', () => {
    expect(lockReach([], '[tool.black]\n')).toBeUndefined();
  });
});
