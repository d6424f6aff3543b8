import { describe, expect, it } from 'vitest';
import { KNOWN_NEEDS } from './known-needs.ts';
import { parsePackageSpec } from './package-spec.ts';
import { systemNeeds, type NeedsRequest } from './system-needs.ts';

const asked = (...texts: string[]) =>
  texts.map((text, index) => parsePackageSpec(text, `Aptfile:${index + 1}`, 'APTFILE_INVALID'));
const needs = (request: Partial<NeedsRequest>) =>
  systemNeeds({ asked: [], names: [], fromSource: false, automatic: true, ...request });
const texts = (specs: readonly { text: string }[]) => specs.map(({ text }) => text);

describe('systemNeeds', () => {
  it('is what the project asks for', () => {
    const { running, building, findings } = needs({ asked: asked('libmagic1', 'gdal-bin>=3') });
    expect(texts(running)).toEqual(['libmagic1', 'gdal-bin>=3']);
    expect(texts(building)).toEqual(['libmagic1', 'gdal-bin>=3']);
    expect(findings).toEqual([]);
  });

  it('adds what Python packages load, and says why', () => {
    const { running, findings } = needs({ names: ['django', 'pdf2image'] });
    expect(texts(running)).toEqual(['poppler-utils']);
    expect(findings).toEqual([
      { rule: 'system packages', value: 'poppler-utils', why: 'pdf2image runs pdftoppm' },
    ]);
  });

  it('takes libraries to link to only for what is built from source, headers only to build', () => {
    const wheels = needs({ names: ['xmlsec'] });
    expect(texts(wheels.running)).toEqual([]);
    const source = needs({ names: ['xmlsec'], fromSource: true });
    expect(texts(source.running)).toEqual(['libxmlsec1-openssl']);
    expect(texts(source.building)).toEqual(['libxmlsec1-openssl', 'libxmlsec1-dev']);
  });

  it('installs nothing for what only may be needed, but says so', () => {
    const { running, findings } = needs({ names: ['pydub'] });
    expect(running).toEqual([]);
    expect(findings[0]).toMatchObject({
      value: 'without ffmpeg',
      why: expect.stringContaining('apt = ["ffmpeg"]') as string,
    });
  });

  it('has no need where a distribution brings the library', () => {
    expect(texts(needs({ names: ['psycopg'] }).running)).toEqual(['libpq5']);
    expect(needs({ names: ['psycopg', 'psycopg-binary'] }).running).toEqual([]);
  });

  it('keeps the version that the project asks for', () => {
    const request = { asked: asked('poppler-utils=22.*'), names: ['pdf2image'] };
    expect(texts(needs(request).running)).toEqual(['poppler-utils=22.*']);
  });

  it('adds nothing when told so', () => {
    const request = { asked: asked('git'), names: ['weasyprint'], automatic: false };
    expect(texts(needs(request).running)).toEqual(['git']);
  });
});

describe('the table', () => {
  it('names Debian packages and normalised distributions', () => {
    for (const { python, packages, build = [] } of KNOWN_NEEDS) {
      expect(packages.length).toBeGreaterThan(0);
      for (const name of python) expect(name).toMatch(/^[a-z0-9]+([-.][a-z0-9]+)*$/);
      for (const name of [...packages, ...build]) {
        expect(parsePackageSpec(name, 'x', 'INTERNAL')).toMatchObject({ name, conditions: [] });
      }
    }
  });

  it('takes what a Dockerfile installs for running, not for building, and each once', () => {
    const wished = asked('tidy', 'poppler-utils', 'libmagic1');
    const { running, building, findings } = needs({
      asked: asked('libmagic1=5.*'),
      wished,
      names: ['pdf2image'],
    });
    expect(texts(running)).toEqual(['libmagic1=5.*', 'poppler-utils', 'tidy']);
    expect(texts(building)).toEqual(['libmagic1=5.*', 'poppler-utils']);
    expect(findings).toHaveLength(1);
  });
});
