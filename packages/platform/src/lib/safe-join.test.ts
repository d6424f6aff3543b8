import { describe, expect, it } from 'vitest';
import { safeJoin } from './safe-join.ts';

describe('safeJoin', () => {
  it('joins relative and absolute paths below the root', () => {
    expect(safeJoin('/srv/a', 'b/c')).toBe('/srv/a/b/c');
    expect(safeJoin('/srv/a', '/etc/passwd')).toBe('/srv/a/etc/passwd');
    expect(safeJoin('/srv/a/', '.')).toBe('/srv/a');
    expect(safeJoin('/', 'etc')).toBe('/etc');
  });

  it.each(['../b', 'b/../../c', '..', '/../b', '../ab'])('refuses %s', (path) => {
    expect(() => safeJoin('/srv/a', path)).toThrow(/leaves/);
  });

  it('refuses a NUL byte', () => {
    expect(() => safeJoin('/srv/a', 'b\0c')).toThrow(/leaves/);
  });

  it('is not fooled by a sibling with the same beginning', () => {
    expect(() => safeJoin('/srv/a', '../ab/c')).toThrow(/leaves/);
  });
});
