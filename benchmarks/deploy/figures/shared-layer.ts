// Ten apps with equal requirements: each brings its code, and nothing else is stored or mounted again.
import { readdir, readFile } from 'node:fs/promises';
import type { Figure } from '../figure.ts';
import type { Platform } from '../platform.ts';
import { changeCode, writeProject } from '../project.ts';

const APPS = 10;

export async function measureSharedLayer(platform: Platform, scratch: string): Promise<Figure> {
  const project = `${scratch}/shared-site`;
  await writeProject(project);
  const deploy = async (index: number) => {
    // Code of its own, so that its code layer is its own too.
    await changeCode(project, `app ${index}`);
    await platform.deploy(`shared-${index}`, project);
  };
  await deploy(1);
  const before = await layersOf(platform);
  for (let index = 2; index <= APPS; index += 1) await deploy(index);
  const after = await layersOf(platform);
  const apps = APPS - 1;
  const extra = {
    stored: after.stored - before.stored - apps,
    mounted: after.mounted - before.mounted - apps,
  };
  return {
    name: 'dependency layers of ten equal apps',
    unit: 'layers',
    target: 'stored once, mounted once',
    measured: [1 + Math.max(extra.stored, extra.mounted)],
    allowed: 1,
    parts: { 'stored more than once': extra.stored, 'mounted more than once': extra.mounted },
  };
}

async function layersOf(platform: Platform): Promise<{ stored: number; mounted: number }> {
  const files = await readdir(`${platform.dataDirectory}/layers`);
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  const mounted = mounts
    .split('\n')
    .filter((line) => line.includes(` ${platform.runDirectory}/layers/`));
  return {
    stored: files.filter((name) => /^[0-9a-f]{64}/.test(name)).length,
    mounted: mounted.length,
  };
}
