import { describe, expect, it } from 'vitest';
import { parseAptfile } from './aptfile.ts';
import { parsePackageSpec, satisfies } from './package-spec.ts';

const parse = (text: string) => parsePackageSpec(text, 'tandem.toml:2', 'TANDEM_TOML_INVALID');

describe('parsePackageSpec', () => {
  it('reads a name and conditions', () => {
    expect(parse('libmagic1')).toMatchObject({ name: 'libmagic1', conditions: [] });
    expect(parse('g++').name).toBe('g++');
    expect(parse('gdal-bin >= 3')).toMatchObject({
      name: 'gdal-bin',
      text: 'gdal-bin>=3',
      conditions: [{ relation: '>=', version: '3' }],
    });
    expect(parse('libpq5>=15,<16').conditions).toEqual([
      { relation: '>=', version: '15' },
      { relation: '<', version: '16' },
    ]);
    expect(parse('libpq5==15.*').conditions).toEqual([{ relation: '=', version: '15.*' }]);
  });

  it.each([
    '',
    '-y',
    'Libmagic1',
    'two packages',
    'libpq5=',
    'libpq5>=15.*',
    'libpq5 ~= 15',
    'libpq5:amd64',
    'libpq5=1;rm -rf /',
    '--option',
    './x.deb',
    'https://example.org/x.deb',
  ])('refuses %j by name and line', (text) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({
        code: 'TANDEM_TOML_INVALID',
        where: expect.stringContaining('tandem.toml:2') as string,
      }) as Error,
    );
  });
});

describe('satisfies', () => {
  const meets = (version: string, spec: string): boolean =>
    satisfies(version, parse(`x${spec}`.replace('x', 'xx')).conditions);

  it.each([
    ['15.13-0+deb12u1', '=15.*'],
    ['1:5.44-3', '=5.*'],
    ['3.6.2+dfsg-1', '>=3'],
    ['3.6.2+dfsg-1', '>=3,<4'],
    ['15.13-0+deb12u1', '=15.13-0+deb12u1'],
    ['15.13-0+deb12u1', '=15.13'],
    ['1.0', ''],
  ])('%s meets "%s"', (version, spec) => expect(meets(version, spec)).toBe(true));

  it.each([
    ['15.13-0+deb12u1', '=16.*'],
    ['15.13-0+deb12u1', '=15.1'],
    ['15.13-0+deb12u1', '>16'],
    ['3.6.2+dfsg-1', '>=3,<3.6'],
    ['1:1.0', '<2'],
  ])('%s does not meet "%s"', (version, spec) => expect(meets(version, spec)).toBe(false));
});

describe('parseAptfile', () => {
  it('reads one package a line, with comments', () => {
    const text = '# for uploads\nlibmagic1\r\n\n  poppler-utils  # pdf2image\ngdal-bin>=3\n';
    expect(parseAptfile(text, 'Aptfile').map(({ name, evidence }) => [name, evidence])).toEqual([
      ['libmagic1', 'Aptfile:2'],
      ['poppler-utils', 'Aptfile:4'],
      ['gdal-bin', 'Aptfile:5'],
    ]);
  });

  it.each([
    [':repo:deb http://ppa.example/x focal main', 'adds a repository'],
    ['https://example.org/wkhtmltox.deb', 'by its address'],
    ['two packages', 'not a Debian package'],
  ])('refuses %s', (line, said) => {
    expect(() => parseAptfile(`libmagic1\n${line}\n`, 'Aptfile')).toThrow(
      expect.objectContaining({
        code: 'APTFILE_INVALID',
        message: expect.stringContaining(said) as string,
        where: expect.stringContaining('Aptfile:2') as string,
      }) as Error,
    );
  });
});
