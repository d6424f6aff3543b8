import { describe, expect, it } from 'vitest';
import {
  choosePackages,
  isInstalled,
  leftOut,
  parseInstalled,
  parseOffer,
} from './choose-packages.ts';
import { explainApt } from './explain-apt.ts';
import { parsePackageSpec } from './package-spec.ts';

const MADISON = `    libpq5 | 15.14-0+deb12u1 | http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
    libpq5 | 15.9-0+deb12u1 | http://deb.debian.org/debian bookworm/main amd64 Packages
   gdal-bin | 3.6.2+dfsg-1+b2 | http://deb.debian.org/debian bookworm/main amd64 Packages
`;
const NAMES = 'libpq5\ngdal-bin\nlibgdal32\nlibgdal-dev\nlibmagic1\nlibmagic-dev\nlibzbar0\n';
const offer = parseOffer(MADISON, NAMES);
const spec = (text: string) => parsePackageSpec(text, 'Aptfile:3', 'APTFILE_INVALID');
const choose = (...texts: string[]) => choosePackages(texts.map(spec), offer);
const refusal = (text: string): unknown => {
  try {
    return choose(text);
  } catch (error) {
    return error;
  }
};

describe('choosePackages', () => {
  it('leaves the version to apt where nobody asked for one', () => {
    expect(choose('libpq5', 'gdal-bin')).toEqual(['libpq5', 'gdal-bin']);
  });

  it('takes the newest that meets all conditions', () => {
    expect(choose('libpq5=15.*')).toEqual(['libpq5=15.14-0+deb12u1']);
    expect(choose('libpq5>=15,<15.10')).toEqual(['libpq5=15.9-0+deb12u1']);
    expect(choose('gdal-bin>=3')).toEqual(['gdal-bin=3.6.2+dfsg-1+b2']);
  });

  it('names what does not exist, and what comes near', () => {
    expect(refusal('libgdal30')).toMatchObject({
      code: 'SYSTEM_PACKAGE_UNAVAILABLE',
      message: 'Debian 12 has no package "libgdal30".',
      where: 'Aptfile:3 libgdal30',
      hint: 'near it: libgdal32',
    });
    expect(refusal('libmagic')).toMatchObject({ hint: 'near it: libmagic1' });
    expect(refusal('zzzzzzzz')).toMatchObject({
      hint: expect.stringContaining('packages.debian.org') as string,
    });
  });

  it('names the versions there are when none meets', () => {
    expect(refusal('libpq5=16.*')).toMatchObject({
      code: 'SYSTEM_PACKAGE_UNAVAILABLE',
      message: expect.stringContaining('it has 15.14-0+deb12u1, 15.9-0+deb12u1') as string,
      hint: expect.stringContaining('libpq5=15.*') as string,
    });
  });
});

describe('what nobody insists on', () => {
  const optional = (text: string) => ({ ...spec(text), optional: true as const });

  it('is left out where it does not exist', () => {
    expect(choosePackages([optional('libgone1'), spec('libpq5')], offer)).toEqual(['libpq5']);
    expect(choosePackages([optional('libgone1')], offer)).toEqual([]);
  });

  it('is found under the name that it had before', () => {
    expect(choosePackages([optional('libpq5t64')], offer)).toEqual(['libpq5']);
    expect(() => choosePackages([spec('libpq5t64')], offer)).toThrow(/no package "libpq5t64"/);
  });

  it('is known to be left out by what is installed', () => {
    const installed = new Map([['libpq5', '15']]);
    const specs = [optional('libpq5t64'), optional('libgone1'), spec('libother1')];
    expect(leftOut(specs, installed).map(({ name }) => name)).toEqual(['libgone1']);
  });
});

describe('what is installed', () => {
  const status = `Package: libpq5
Status: install ok installed
Version: 15.9-0+deb12u1

Package: gone
Status: deinstall ok config-files
Version: 1.0
`;
  it('counts only with the version asked for', () => {
    const installed = parseInstalled(status);
    expect(isInstalled(spec('libpq5'), installed)).toBe(true);
    expect(isInstalled(spec('libpq5>=15'), installed)).toBe(true);
    expect(isInstalled(spec('libpq5>=16'), installed)).toBe(false);
    expect(isInstalled(spec('gone'), installed)).toBe(false);
  });
});

describe('explainApt', () => {
  const explain = (log: string) => explainApt(log, [spec('gdal-bin')]);

  it('says which archive did not answer', () => {
    const log = `E: Failed to fetch http://mirror.example/debian/dists/bookworm/InRelease  Could not resolve 'mirror.example'\n`;
    expect(explain(log)).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining('mirror.example') as string,
    });
  });

  it('says what does not go together', () => {
    const log = `The following packages have unmet dependencies:
 gdal-bin : Depends: libgdal32 (= 3.6.2+dfsg-1+b2) but 3.5 is to be installed
E: Unable to correct problems, you have held broken packages.\n`;
    expect(explain(log)).toMatchObject({
      code: 'SYSTEM_PACKAGE_UNAVAILABLE',
      message: expect.stringContaining('gdal-bin Depends: libgdal32') as string,
      where: 'Aptfile:3 gdal-bin',
    });
    expect(explain('E: Packages need to be removed but remove is disabled.\n')).toMatchObject({
      code: 'SYSTEM_PACKAGE_UNAVAILABLE',
    });
  });

  it('repeats what a package said when it failed', () => {
    const log = `Setting up odd (1.0) ...
dpkg: error processing package odd (--configure):
 installed odd package post-installation script subprocess returned error exit status 1
E: Sub-process /usr/bin/dpkg returned an error code (1)\n`;
    expect(explain(log)).toMatchObject({
      code: 'SYSTEM_PACKAGE_FAILED',
      message: expect.stringContaining('error processing package odd') as string,
    });
  });

  it('does not take a full disk for a broken package', () => {
    expect(explain('cp: error writing: No space left on device\n')).toMatchObject({
      code: 'DISK_FULL',
    });
  });
});
