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
  // By name, not by number: a layer that was collected meanwhile must not hide one that is new.
  const extra = {
    stored: countNew(after.stored, before.stored) - apps,
    mounted: countNew(after.mounted, before.mounted) - apps,
  };
  if (extra.stored < 0 || extra.mounted < 0) throw new Error('some app brought no code of its own');
  return {
    name: 'dependency layers of ten equal apps',
    unit: 'layers',
    target: 'stored once, mounted once',
    measured: [1 + Math.max(extra.stored, extra.mounted)],
    allowed: 1,
    parts: { 'stored more than once': extra.stored, 'mounted more than once': extra.mounted },
  };
}

async function layersOf(
  platform: Platform,
): Promise<{ stored: Set<string>; mounted: Set<string> }> {
  const files = await readdir(`${platform.dataDirectory}/layers`);
  const points = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${platform.runDirectory}/layers/`));
  return {
    stored: new Set(files.filter((name) => /^[0-9a-f]{64}/.test(name))),
    mounted: new Set(points),
  };
}

function countNew(after: ReadonlySet<string>, before: ReadonlySet<string>): number {
  return [...after].filter((name) => !before.has(name)).length;
}
