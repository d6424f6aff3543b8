import { describe, expect, it } from 'vitest';
import { readImage } from './containers/container-image.ts';
import { detectSystemPackages } from './system-packages.ts';
import { memoryTree } from './source-tree.ts';
import { readTandemToml } from './tandem-toml.ts';

function wishes(files: Record<string, string>, root = '', names: string[] = []) {
  const tree = memoryTree(files);
  const { config, file } = readTandemToml(tree);
  const settings = 'site1/settings.py' in files ? { settings: { file: 'site1/settings.py' } } : {};
  const project = { root, config, dependencies: { names }, ...settings };
  return detectSystemPackages(tree, project, file, readImage(tree, 'Dockerfile', ''));
}
const texts = (result: ReturnType<typeof wishes>) => result.value.asked.map(({ text }) => text);

describe('detectSystemPackages', () => {
  it('reads tandem.toml, with the line of each', () => {
    const toml = '[packages]\napt = [\n  "libmagic1",\n  "libpq5=15.*",\n]\n';
    const result = wishes({ 'tandem.toml': toml, Aptfile: 'ffmpeg\n' });
    expect(texts(result)).toEqual(['libmagic1', 'libpq5=15.*']);
    expect(result.value.asked[1]?.evidence).toBe('tandem.toml:4');
    expect(result.findings[0]).toMatchObject({ rule: 'system packages', value: 'libmagic1' });
  });

  it('reads the Aptfile of the app before one at the top', () => {
    expect(texts(wishes({ Aptfile: 'ffmpeg\n' }, 'src'))).toEqual(['ffmpeg']);
    const both = { Aptfile: 'ffmpeg\n', 'src/Aptfile': 'git\n' };
    expect(texts(wishes(both, 'src'))).toEqual(['git']);
  });

  it('sees GeoDjango in the settings, not in a comment', () => {
    const settings = (text: string) => wishes({ 'site1/settings.py': text }).value.signs;
    expect(settings('INSTALLED_APPS = [\n    "django.contrib.gis",\n]\n')).toEqual([
      'django.contrib.gis',
    ]);
    expect(settings('E = "django.contrib.gis.db.backends.spatialite"\n')).toEqual([
      'django.contrib.gis',
      'spatialite',
    ]);
    expect(settings('    # "django.contrib.gis",\n')).toEqual([]);
  });

  it('sees it beside the settings file too', () => {
    const files = { 'site1/settings.py': '', 'site1/base.py': 'A = ["django.contrib.gis"]\n' };
    expect(wishes(files).value.signs).toEqual(['django.contrib.gis']);
  });

  it('says what requirements are known to need, unless told not to', () => {
    const found = wishes({}, '', ['weasyprint']);
    expect(found.findings[0]).toMatchObject({ why: 'weasyprint loads Pango' });
    const toml = { 'tandem.toml': '[packages]\nautomatic = false\n' };
    expect(wishes(toml, '', ['weasyprint']).findings).toEqual([]);
  });

  it.each([
    ['[packages]\napt = ["Big"]\n', 'tandem.toml:2'],
    ['[packages]\napt = "libmagic1"\n', 'tandem.toml:2'],
    ['[packages]\nyum = ["x"]\n', 'tandem.toml:2'],
  ])('refuses %j by line', (toml, where) => {
    expect(() => wishes({ 'tandem.toml': toml })).toThrow(
      expect.objectContaining({
        code: 'TANDEM_TOML_INVALID',
        where: expect.stringContaining(where) as string,
      }) as Error,
    );
  });

  it('takes what the Dockerfile installs, said together, unless it is known anyway', () => {
    const files = {
      Dockerfile:
        'FROM python:3.12\nRUN apt-get install -y gcc tidy ffmpeg poppler-utils\nRUN apt-get install -y chromium\n',
    };
    const { value, findings } = wishes(files, '', ['pdf2image']);
    expect(value.wished).toMatchObject([
      { name: 'tidy', optional: true },
      { name: 'ffmpeg', optional: true },
    ]);
    expect(findings.map((one) => one.value)).toEqual([
      'poppler-utils',
      'tidy ffmpeg',
      'without chromium',
    ]);
    expect(findings[1]).toMatchObject({ evidence: 'Dockerfile:2', confidence: 'likely' });
    const off = { ...files, 'tandem.toml': '[packages]\nautomatic = false\n' };
    expect(wishes(off, '', ['pdf2image'])).toMatchObject({ value: { wished: [] }, findings: [] });
  });
});
