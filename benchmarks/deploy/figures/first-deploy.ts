// The first deploy of a new installation, nothing cached; by hand: `uv pip install` with an empty
// cache, then the bare sequence on an empty database.
import pg from 'pg';
import { BareSite } from '../bare-site.ts';
import { median, medianParts, timed, type Figure } from '../figure.ts';
import { startPlatform, UV } from '../platform.ts';
import { writeProject } from '../project.ts';

const APP = 'bench';
const RATIO_MAX = 1.3;

export async function measureFirstDeploy(scratch: string, rounds: number): Promise<Figure> {
  const project = `${scratch}/first-site`;
  await writeProject(project);
  // Whatever stands between here and the package index has it once, for both sides.
  await bareSite(project, scratch, {}).installCold();

  const results: { platformMs: number; bareMs: number; phases: Record<string, number> }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const platform = await startPlatform();
    try {
      const { ms, value } = await platform.deploy(APP, project);
      const env = await platform.environmentOf(APP);
      await emptyDatabase(env);
      const bareMs = await bareFirstDeploy(bareSite(project, scratch, env));
      results.push({ platformMs: ms, bareMs, phases: { ...value.phasesMs } });
    } finally {
      await platform.down();
    }
  }
  const bare = results.map((round) => round.bareMs);
  return {
    name: 'first deploy, cold cache',
    unit: 'ms',
    target: '<= 1.3 x uv pip install + bare sequence',
    measured: results.map((round) => round.platformMs),
    bare,
    allowed: RATIO_MAX * median(bare),
    parts: medianParts(results.map((round) => round.phases)),
  };
}

function bareSite(project: string, scratch: string, env: Record<string, string>): BareSite {
  return new BareSite({ project, scratch: `${scratch}/first-bare`, uv: UV, env });
}

async function bareFirstDeploy(site: BareSite): Promise<number> {
  const before = await timed(async () => {
    await site.installCold();
    await site.collectStatic();
    await site.migrate();
  });
  return before.ms + (await site.boot());
}

async function emptyDatabase(env: Record<string, string>): Promise<void> {
  const client = new pg.Client({
    host: env['PGHOSTADDR'],
    user: env['PGUSER'],
    password: env['PGPASSWORD'],
    database: env['PGDATABASE'],
  });
  await client.connect();
  await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  await client.end();
}
