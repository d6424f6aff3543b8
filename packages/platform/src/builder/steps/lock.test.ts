import { describe, expect, it } from 'vitest';
import { parseLock, pinsOf, versionIn } from './lock.ts';

const HASH = `--hash=sha256:${'a'.repeat(64)}`;
const PUBLIC = `asgiref==3.8.1 \\\n    ${HASH} \\\n    ${HASH}\nDjango[bcrypt]==5.2 ; python_version >= "3.10" ${HASH}\n`;

describe('parseLock', () => {
  it('reads names and versions', () => {
    const lock = parseLock(PUBLIC);
    expect(lock.packages).toEqual([
      { name: 'asgiref', version: '3.8.1' },
      { name: 'django', version: '5.2' },
    ]);
    expect(versionIn(lock, 'django')).toBe('5.2');
    expect(pinsOf(lock, ['asgiref', 'packaging'])).toEqual(['asgiref==3.8.1']);
  });

  it('is public only when nothing but hashed versions stands in it', () => {
    expect(parseLock(PUBLIC).isPublic).toBe(true);
    const others = [
      '--extra-index-url https://private.example/simple',
      'six==1.16.0',
      'lib @ git+https://git.example/lib@abc',
      '-e .',
      'lib @ file:///app/lib',
      '--find-links https://x.example',
    ];
    for (const line of others) expect(parseLock(`${PUBLIC}${line}\n`).isPublic).toBe(false);
  });

  it('is fully hashed whatever index it names, not with a path', () => {
    const indexed = parseLock(`--extra-index-url \${TANDEM_INDEX_0}\n${PUBLIC}`);
    expect(indexed).toMatchObject({ fullyHashed: true, isPublic: false, versionsHashed: true });
    expect(parseLock(`${PUBLIC}-e .\n`)).toMatchObject({
      fullyHashed: false,
      versionsHashed: true,
    });
    expect(parseLock(`${PUBLIC}six==1\n`)).toMatchObject({ versionsHashed: false });
    expect(parseLock('# index: x\n--index-url https://x/simple\n').isEmpty).toBe(true);
  });

  it('may be empty', () => {
    expect(parseLock('# nothing\n')).toMatchObject({ isEmpty: true, packages: [] });
  });
});
