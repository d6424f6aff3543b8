// The first deploy of a new installation, nothing cached; by hand: `uv pip install` with an empty
// cache, then the bare sequence on an empty database.
import pg from 'pg';
import { BareSite, interpreterPath } from '../bare-site.ts';
import { median } from '../../median.ts';
import { medianParts, timed, type Figure } from '../figure.ts';
import { startPlatform, UV } from '../platform.ts';
import { writeProject } from '../project.ts';

const APP = 'bench';
const RATIO_MAX = 1.3;

interface Round {
  readonly platformMs: number;
  readonly bareMs: number;
  readonly phases: Readonly<Record<string, number>>;
}

export async function measureFirstDeploy(scratch: string, rounds: number): Promise<Figure> {
  const project = `${scratch}/first-site`;
  await writeProject(project);
  // Ignored: whatever stands between here and the package index then has it, for both sides.
  await measureRound(project, scratch);
  const results: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    results.push(await measureRound(project, scratch));
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

async function measureRound(project: string, scratch: string): Promise<Round> {
  const platform = await startPlatform();
  try {
    const { ms, value } = await platform.deploy(APP, project);
    const env = await platform.environmentOf(APP);
    const python = await interpreterPath(await platform.pythonOf(APP));
    await emptyDatabase(env);
    const options = { project, scratch: `${scratch}/first-bare`, uv: UV, python, env };
    const bareMs = await bareFirstDeploy(new BareSite(options));
    return { platformMs: ms, bareMs, phases: value.phasesMs };
  } finally {
    await platform.down();
  }
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
