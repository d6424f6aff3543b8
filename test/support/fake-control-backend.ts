// A ControlBackend that remembers what it was asked and answers from memory; a test replaces the
// methods it is about.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  TandemError,
  type AppSummary,
  type DeployEvent,
  type DeployStatus,
  type DomainView,
  type LogLine,
} from '@tandem/protocol';
import type { ControlBackend } from '../../packages/platform/src/nexus/control/backend.ts';

export function appSummary(name: string, over: Partial<AppSummary> = {}): AppSummary {
  return {
    id: 1,
    name,
    urls: [`http://${name}.localhost:8080`],
    state: 'live',
    instances: { ready: 1, desired: 1 },
    formation: { web: { count: 1, memoryBytes: 512 * 1024 * 1024 } },
    createdAtMs: 1_700_000_000_000,
    ...over,
  };
}

export function deployStatus(over: Partial<DeployStatus> = {}): DeployStatus {
  return {
    app: 'bakery',
    deploy: 1,
    kind: 'deploy',
    state: 'live',
    phase: 'drain',
    release: 1,
    phasesMs: { build: 1_300, start: 1_100 },
    startedAtMs: 1_700_000_000_000,
    finishedAtMs: 1_700_000_005_000,
    ...over,
  };
}

/** `seq` and `atMs` follow from the position. */
export function deployEvents(...bodies: Record<string, unknown>[]): DeployEvent[] {
  return bodies.map(
    (body, seq) => ({ seq, atMs: 1_700_000_000_000 + seq, ...body }) as DeployEvent,
  );
}

export const finished = (status: DeployStatus): Record<string, unknown> => ({
  type: 'finished',
  status,
  urls: [`http://${status.app}.localhost:8080`],
  next: ['tandem manage createsuperuser'],
});

export class FakeControlBackend implements ControlBackend {
  readonly apps = new Map<string, AppSummary>();
  readonly calls: unknown[][] = [];
  readonly archives: string[] = [];
  readonly domains: DomainView[] = [];
  readonly policy: Record<string, unknown> = {};
  readonly #directory: string;
  events: DeployEvent[] = deployEvents(
    { type: 'phase', phase: 'build', state: 'started', detail: '' },
    { type: 'phase', phase: 'build', state: 'done', detail: 'code 77ab01', ms: 1_300 },
    finished(deployStatus()),
  );

  constructor(directory: string) {
    this.#directory = directory;
  }

  listApps: ControlBackend['listApps'] = async () => [...this.apps.values()];
  createApp: ControlBackend['createApp'] = async (name) => {
    const app = appSummary(name, { state: 'empty' });
    this.apps.set(name, app);
    return app;
  };
  getApp: ControlBackend['getApp'] = async (name) => {
    const app = this.apps.get(name);
    if (!app) throw new TandemError('APP_NOT_FOUND', `No app is named "${name}".`);
    return app;
  };
  destroyApp: ControlBackend['destroyApp'] = async (name) => {
    await this.getApp(name);
    this.apps.delete(name);
  };
  prepareDeploy: ControlBackend['prepareDeploy'] = async () => this.#freshPath();
  startDeploy: ControlBackend['startDeploy'] = async ({ app }, archivePath) => {
    this.archives.push(archivePath);
    const created = !this.apps.has(app);
    if (created) this.apps.set(app, appSummary(app));
    return { app, deploy: 1, created };
  };
  retryDeploy: ControlBackend['retryDeploy'] = async (app) => this.#started(['retry', app]);
  listDeploys: ControlBackend['listDeploys'] = async () => [deployStatus()];
  getDeploy: ControlBackend['getDeploy'] = async (app, deploy) => deployStatus({ app, deploy });
  cancelDeploy: ControlBackend['cancelDeploy'] = async (app, deploy) => {
    this.calls.push(['cancel', app, deploy]);
    return deployStatus({ app, deploy, state: 'running' });
  };
  deployEvents: ControlBackend['deployEvents'] = (_app, _deploy, { from }) =>
    iterate(this.events.filter(({ seq }) => seq >= from));
  listReleases: ControlBackend['listReleases'] = async () => [];
  rollback: ControlBackend['rollback'] = async (app, request) =>
    this.#started(['rollback', app, request]);
  restart: ControlBackend['restart'] = async (app) => this.#started(['restart', app]);
  scale: ControlBackend['scale'] = async (app, request) => this.#started(['scale', app, request]);
  getConfig: ControlBackend['getConfig'] = async () => ({
    revision: 3,
    staged: false,
    entries: [
      { key: 'HOSTS', value: 'a.example', secret: false, source: 'app' },
      { key: 'API_KEY', secret: true, source: 'app' },
    ],
  });
  changeConfig: ControlBackend['changeConfig'] = async (app, change) => {
    this.calls.push(['config', app, change]);
    return change.stage ? { revision: 4 } : { revision: 4, deploy: 1 };
  };
  listDomains: ControlBackend['listDomains'] = async () => this.domains;
  addDomain: ControlBackend['addDomain'] = async (app, host) => {
    this.calls.push(['add domain', app, host]);
    const view: DomainView = { host, given: false, certificate: { state: 'pending' } };
    this.domains.push(view);
    return view;
  };
  removeDomain: ControlBackend['removeDomain'] = async (app, host) => {
    this.calls.push(['remove domain', app, host]);
  };
  importCertificate: ControlBackend['importCertificate'] = async (app, host, upload) => {
    this.calls.push(['import', app, host, upload]);
    return {
      host,
      given: false,
      certificate: { state: 'valid', source: 'imported', validUntilMs: 1_800_000_000_000 },
    };
  };
  getPolicy: ControlBackend['getPolicy'] = async () => ({ policy: { ...this.policy } });
  changePolicy: ControlBackend['changePolicy'] = async (app, change) => {
    this.calls.push(['policy', app, change]);
    for (const key of change.unset) delete this.policy[key];
    return { policy: Object.assign(this.policy, change.set) };
  };
  listProcesses: ControlBackend['listProcesses'] = async () => [];
  explain: ControlBackend['explain'] = async (app) => ({
    app,
    subject: 'd1',
    state: 'live',
    summary: 'Deploy d1 is live.',
    lines: [],
    candidates: [],
    processes: [],
  });
  logs: ControlBackend['logs'] = (app, query) => {
    this.calls.push(['logs', app, query]);
    return iterate<LogLine>([]);
  };
  run: ControlBackend['run'] = async (_app, session) => {
    this.calls.push(['run', session.request]);
    for await (const chunk of session.stdin) {
      session.output.write(String(chunk).toUpperCase());
    }
    return 7;
  };
  status: ControlBackend['status'] = async () => ({
    version: '0.1.0',
    installation: 'test',
    healthy: true,
    components: [{ name: 'agent', state: 'ready', detail: '', pssBytes: 80 * 1024 * 1024 }],
    urlTemplate: 'http://NAME.localhost:8080',
    memory: { platformBytes: 1e8, roomBytes: 1e9, totalBytes: 2e9 },
    apps: this.apps.size,
    warnings: [],
  });
  doctor: ControlBackend['doctor'] = async () => [
    { name: 'crun', state: 'failed', detail: 'not installed', fix: 'apt-get install crun' },
  ];
  listFindings: ControlBackend['listFindings'] = async () => ({
    release: 3,
    findings: [{ rule: 'database', value: 'sqlite3 -> PostgreSQL', why: 'a file' }],
  });
  prepareDetect: ControlBackend['prepareDetect'] = async () => this.#freshPath();
  detect: ControlBackend['detect'] = async (archivePath) => {
    this.archives.push(archivePath);
    const finding = {
      rule: 'framework',
      value: 'django',
      why: 'manage.py',
      evidence: 'manage.py:1',
    };
    return { findings: [finding], toml: 'python = "3.12"\n' };
  };

  #freshPath(): string {
    return join(this.#directory, `upload-${randomBytes(4).toString('hex')}.tar`);
  }

  #started(call: unknown[]) {
    this.calls.push(call);
    return { app: String(call[1]), deploy: 1, created: false };
  }
}

export async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
