// A line of code changes, the site is deployed again; and the way back.
import { cp } from 'node:fs/promises';
import { BareSite, interpreterPath } from '../bare-site.ts';
import { median } from '../../median.ts';
import { medianParts, timed, type Figure } from '../figure.ts';
import { firstAnswer } from '../../http.ts';
import { UV, type Platform } from '../platform.ts';
import { changeCode, writeProject } from '../project.ts';

const APP = 'bench';
const REDEPLOY_MS_MAX = 2_000;
const REDEPLOY_RATIO_MAX = 1.2;
const ROLLBACK_MS_MORE = 400;

export interface RedeployOptions {
  readonly platform: Platform;
  readonly scratch: string;
  readonly rounds: number;
}

/** Redeploy and rollback against the bare sequence, in turns. */
export async function measureRedeploy(options: RedeployOptions): Promise<Figure[]> {
  const { platform, scratch, rounds } = options;
  const project = `${scratch}/site`;
  await writeProject(project);
  await platform.deploy(APP, project);
  const bare = await prepareBare(options, project);

  const redeploys: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const byPlatform = () => redeploy(platform, project, `round ${round}`);
    const byHand = () => bareSequence(bare.site, bare.project, `round ${round}`);
    // Who goes second finds warmer caches, so they take turns.
    const [first, second] = round % 2 ? [byPlatform, byHand] : [byHand, byPlatform];
    redeploys.push({ ...(await first()), ...(await second()) } as Round);
  }
  const rollbacks: { platformMs: number; parts: Record<string, number>; bootMs: number }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const { ms, value } = await platform.rollback(APP);
    rollbacks.push({ platformMs: ms, parts: value.phasesMs, bootMs: await bare.site.boot() });
  }
  const bareMs = redeploys.map((round) => round.bareMs);
  const bootMs = rollbacks.map((round) => round.bootMs);
  return [
    {
      name: 'code-only redeploy',
      unit: 'ms',
      target: '<= 2 s and <= 1.2 x bare sequence',
      measured: redeploys.map((round) => round.platformMs),
      bare: bareMs,
      allowed: Math.min(REDEPLOY_MS_MAX, REDEPLOY_RATIO_MAX * median(bareMs)),
      parts: {
        ...medianParts(redeploys.map((round) => round.phases)),
        ...medianParts(redeploys.map((round) => round.bareParts)),
      },
    },
    {
      name: 'rollback to a warm release',
      unit: 'ms',
      target: '<= bare gunicorn boot + 0.4 s',
      measured: rollbacks.map((round) => round.platformMs),
      bare: bootMs,
      allowed: median(bootMs) + ROLLBACK_MS_MORE,
      parts: medianParts(rollbacks.map((round) => round.parts)),
    },
  ];
}

interface Round {
  readonly platformMs: number;
  readonly phases: Record<string, number>;
  readonly bareMs: number;
  readonly bareParts: Record<string, number>;
}

async function prepareBare({ platform, scratch }: RedeployOptions, project: string) {
  const copy = `${scratch}/bare-site`;
  await cp(project, copy, { recursive: true });
  const env = await platform.environmentOf(APP);
  const python = await interpreterPath(await platform.pythonOf(APP));
  const site = new BareSite({ project: copy, scratch: `${scratch}/bare`, uv: UV, python, env });
  await site.installCold();
  await site.migrate();
  await site.boot();
  return { site, project: copy };
}

async function redeploy(platform: Platform, project: string, text: string) {
  await changeCode(project, text);
  const { ms, value } = await platform.deploy(APP, project);
  const body = await firstAnswer({ port: platform.port, host: platform.hostOf(APP) });
  if (!body.startsWith(text)) throw new Error(`the site says "${body}", not "${text}"`);
  return { platformMs: ms, phases: value.phasesMs };
}

async function bareSequence(site: BareSite, project: string, text: string) {
  await changeCode(project, text);
  const collect = await timed(() => site.collectStatic());
  const migrate = await timed(() => site.migrate());
  const bootMs = await site.boot();
  const bareParts = {
    'bare collectstatic': collect.ms,
    'bare migrate': migrate.ms,
    'bare boot': bootMs,
  };
  return { bareMs: collect.ms + migrate.ms + bootMs, bareParts };
}
