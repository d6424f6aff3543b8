// Source archive -> image. Rollback, config, scale and restart run an image that exists.
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { buildUid, instanceAddresses } from '../../../domain/installation.ts';
import { layersOf, type BuiltImage, type Finding } from '../../../domain/release.ts';
import { appDirectory } from '../../../ports/paths.ts';
import { openConfig } from '../../app-secrets.ts';
import { hostnamesOf, logPathOf } from '../../process-specs.ts';
import type { Channel } from '../deploy-events.ts';
import type { Phase, PhaseInput, PhaseOutcome } from '../phase.ts';

export const buildPhase: Phase = {
  name: 'build',
  async run(input) {
    const { deploy, context, app } = input;
    if (deploy.image) return { detail: 'image kept', skipped: true };
    if (deploy.fromRelease !== undefined) {
      const release = await context.repository.release(app.id, deploy.fromRelease);
      if (!release) throw new Error(`release v${deploy.fromRelease} is gone`);
      const detail = `image of v${release.value.imageOf}`;
      return { detail, skipped: true, patch: { image: release.value.image } };
    }
    try {
      return await buildFromSource(input);
    } catch (error) {
      throw withLog(input, error);
    }
  },
};

/** The log of a build holds all that the steps wrote. */
function withLog({ app, deploy, signal }: PhaseInput, error: unknown): unknown {
  if (signal.aborted || !(error instanceof TandemError) || error.kind === 'system') return error;
  const log = `tandem logs -a ${app.name} --release d${deploy.number}`;
  return TandemError.fromBody({ log, ...error.toBody() });
}

async function buildFromSource(input: PhaseInput): Promise<PhaseOutcome> {
  const { context, app, deploy, events, signal } = input;
  const config = await context.repository.config(app.id);
  const findings = new FindingNews(events, await knownFindings(input));
  const address = await context.repository.takeAddresses(1);
  const image = await context.builder.build({
    buildId: `b${app.id}-${deploy.number}-${address}`,
    appId: app.id,
    appName: app.name,
    buildUid: buildUid(context.installation.slot, app.id),
    archivePath: join(appDirectory(context.paths, app.id), 'sources', deploy.archive ?? ''),
    config: openConfig(context.secrets, app.id, config?.value.entries ?? {}),
    hostnames: hostnamesOf(context, app),
    logPath: logPathOf(context, app.id, {
      process: 'build',
      release: `d${deploy.number}`,
      id: `a${app.id}-d${deploy.number}`,
    }),
    network: instanceAddresses(context.installation, address),
    progress: {
      step(name, detail, tookMs) {
        const phase = name === 'unpack' || name === 'detect' ? 'detect' : 'build';
        events.emit({
          type: 'phase',
          phase,
          state: 'progress',
          detail: `${name} ${detail}`,
          ms: tookMs,
        });
      },
      finding(finding) {
        findings.tell(finding);
      },
    },
    signal,
  });
  for (const finding of image.findings) findings.tell(finding);
  return { detail: summary(image), patch: { image } };
}

/** What was said at the last release need not be said again. */
async function knownFindings({ context, app }: PhaseInput): Promise<readonly Finding[]> {
  if (app.currentRelease === undefined) return [];
  const release = await context.repository.release(app.id, app.currentRelease);
  return release?.value.image.findings ?? [];
}

class FindingNews {
  readonly #events: Channel;
  readonly #told: Set<string>;

  constructor(events: Channel, known: readonly Finding[]) {
    this.#events = events;
    this.#told = new Set(known.map((finding) => JSON.stringify(finding)));
  }

  tell(finding: Finding): void {
    const text = JSON.stringify(finding);
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#events.emit({ type: 'finding', finding });
  }
}

function summary({ layers, pythonVersion, nodeVersion }: BuiltImage): string {
  const language = nodeVersion === undefined ? `Python ${pythonVersion}` : `Node ${nodeVersion}`;
  return `${layersOf(layers).length} layers, ${language}`;
}
