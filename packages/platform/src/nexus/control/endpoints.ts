// The endpoints of the control API, one line of routing each; paths and schemas are described in
// protocol/api.ts.
import { rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  AddDomainRequest,
  CertificateUpload,
  ConfigChange,
  CreateAppRequest,
  PolicyChange,
  RollbackRequest,
  ScaleRequest,
  TandemError,
} from '@tandem/protocol';
import { sendJson, sendLines } from './answer.ts';
import type { ControlBackend, ExplainQuery, LogQuery } from './backend.ts';
import { readJson } from './request-body.ts';
import type { Endpoint } from './router.ts';
import { receiveUpload, type UploadLimits } from './upload.ts';
import { checkAppName, checkFlag, checkWhole } from './validation.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly params: Readonly<Record<string, string>>;
  /** Fires when the client is gone or the server closes. */
  readonly signal: AbortSignal;
  readonly uploadLimits?: UploadLimits;
}

export type Handler = (backend: ControlBackend, exchange: Exchange) => Promise<void>;

const ACCEPTED = 202;
const CREATED = 201;
const OK = 200;

/** What a handler returns is the answer. */
function answer(
  status: number,
  produce: (backend: ControlBackend, exchange: Exchange) => Promise<unknown>,
): Handler {
  return async (backend, exchange) => {
    await sendJson(exchange.response, status, await produce(backend, exchange));
  };
}

const appOf = ({ params }: Exchange): string => checkAppName(params['app'] ?? '');
const hostOf = ({ params }: Exchange): string => params['host'] ?? '';
const deployOf = ({ params }: Exchange): number =>
  checkWhole(params['deploy'] ?? '', 'deploy number', 1);

export const ENDPOINTS: readonly Endpoint<Handler>[] = [
  {
    method: 'GET',
    path: '/v1/apps',
    handle: answer(OK, async (backend) => ({ apps: await backend.listApps() })),
  },
  {
    method: 'POST',
    path: '/v1/apps',
    handle: answer(CREATED, async (backend, { request }) => {
      const { name } = await readJson(request, CreateAppRequest);
      return await backend.createApp(checkAppName(name));
    }),
  },
  {
    method: 'GET',
    path: '/v1/apps/:app',
    handle: answer(OK, (backend, exchange) => backend.getApp(appOf(exchange))),
  },
  { method: 'DELETE', path: '/v1/apps/:app', handle: answer(OK, destroy) },
  { method: 'POST', path: '/v1/apps/:app/deploys', handle: answer(ACCEPTED, deploy) },
  {
    method: 'GET',
    path: '/v1/apps/:app/deploys',
    handle: answer(OK, async (backend, exchange) => ({
      deploys: await backend.listDeploys(appOf(exchange)),
    })),
  },
  {
    method: 'POST',
    path: '/v1/apps/:app/deploys/retry',
    handle: answer(ACCEPTED, (backend, exchange) => backend.retryDeploy(appOf(exchange))),
  },
  {
    method: 'GET',
    path: '/v1/apps/:app/deploys/:deploy',
    handle: answer(OK, (backend, exchange) =>
      backend.getDeploy(appOf(exchange), deployOf(exchange)),
    ),
  },
  {
    method: 'POST',
    path: '/v1/apps/:app/deploys/:deploy/cancel',
    handle: answer(OK, (backend, exchange) =>
      backend.cancelDeploy(appOf(exchange), deployOf(exchange)),
    ),
  },
  { method: 'GET', path: '/v1/apps/:app/deploys/:deploy/events', handle: followDeploy },
  {
    method: 'GET',
    path: '/v1/apps/:app/releases',
    handle: answer(OK, async (backend, exchange) => ({
      releases: await backend.listReleases(appOf(exchange)),
    })),
  },
  {
    method: 'GET',
    path: '/v1/apps/:app/findings',
    handle: answer(OK, (backend, exchange) => backend.listFindings(appOf(exchange))),
  },
  {
    method: 'POST',
    path: '/v1/apps/:app/rollback',
    handle: answer(ACCEPTED, async (backend, exchange) =>
      backend.rollback(appOf(exchange), await readJson(exchange.request, RollbackRequest)),
    ),
  },
  {
    method: 'POST',
    path: '/v1/apps/:app/restart',
    handle: answer(ACCEPTED, (backend, exchange) => backend.restart(appOf(exchange))),
  },
  {
    method: 'POST',
    path: '/v1/apps/:app/scale',
    handle: answer(ACCEPTED, async (backend, exchange) =>
      backend.scale(appOf(exchange), await readJson(exchange.request, ScaleRequest)),
    ),
  },
  {
    method: 'GET',
    path: '/v1/apps/:app/config',
    handle: answer(OK, (backend, exchange) => backend.getConfig(appOf(exchange))),
  },
  {
    method: 'PATCH',
    path: '/v1/apps/:app/config',
    handle: answer(OK, async (backend, exchange) =>
      backend.changeConfig(appOf(exchange), await readJson(exchange.request, ConfigChange)),
    ),
  },
  {
    method: 'GET',
    path: '/v1/apps/:app/domains',
    handle: answer(OK, async (backend, exchange) => ({
      domains: await backend.listDomains(appOf(exchange)),
    })),
  },
  {
    method: 'POST',
    path: '/v1/apps/:app/domains',
    handle: answer(CREATED, async (backend, exchange) => {
      const { host } = await readJson(exchange.request, AddDomainRequest);
      return await backend.addDomain(appOf(exchange), host);
    }),
  },
  {
    method: 'DELETE',
    path: '/v1/apps/:app/domains/:host',
    handle: answer(OK, async (backend, exchange) => {
      await backend.removeDomain(appOf(exchange), hostOf(exchange));
      return { removed: true };
    }),
  },
  {
    method: 'PUT',
    path: '/v1/apps/:app/domains/:host/certificate',
    handle: answer(OK, async (backend, exchange) => {
      const upload = await readJson(exchange.request, CertificateUpload);
      return await backend.importCertificate(appOf(exchange), hostOf(exchange), upload);
    }),
  },
  {
    method: 'GET',
    path: '/v1/apps/:app/policy',
    handle: answer(OK, (backend, exchange) => backend.getPolicy(appOf(exchange))),
  },
  {
    method: 'PATCH',
    path: '/v1/apps/:app/policy',
    handle: answer(OK, async (backend, exchange) =>
      backend.changePolicy(appOf(exchange), await readJson(exchange.request, PolicyChange)),
    ),
  },
  {
    method: 'GET',
    path: '/v1/apps/:app/processes',
    handle: answer(OK, async (backend, exchange) => ({
      processes: await backend.listProcesses(appOf(exchange)),
    })),
  },
  {
    method: 'GET',
    path: '/v1/apps/:app/explanation',
    handle: answer(OK, (backend, exchange) =>
      backend.explain(appOf(exchange), explainQuery(exchange)),
    ),
  },
  { method: 'GET', path: '/v1/apps/:app/logs', handle: logs },
  {
    method: 'GET',
    path: '/v1/status',
    handle: answer(OK, (backend) => backend.status()),
  },
  {
    method: 'GET',
    path: '/v1/doctor',
    handle: answer(OK, async (backend) => ({ checks: await backend.doctor() })),
  },
  { method: 'POST', path: '/v1/detect', handle: answer(OK, detect) },
];

async function destroy(backend: ControlBackend, exchange: Exchange): Promise<unknown> {
  const app = appOf(exchange);
  if (exchange.query.get('confirm') !== app) {
    throw new TandemError('CONFIRMATION_NEEDED', `Destroying "${app}" loses its data.`, {
      hint: `tandem destroy -a ${app} --confirm ${app}`,
    });
  }
  await backend.destroyApp(app);
  return { destroyed: true };
}

async function deploy(backend: ControlBackend, exchange: Exchange): Promise<unknown> {
  const target = { app: appOf(exchange), create: checkFlag(exchange.query, 'create') };
  const archivePath = await backend.prepareDeploy(target);
  await receive(exchange, archivePath);
  return await backend.startDeploy(target, archivePath);
}

async function detect(backend: ControlBackend, exchange: Exchange): Promise<unknown> {
  const archivePath = await backend.prepareDetect();
  await receive(exchange, archivePath);
  try {
    return await backend.detect(archivePath, exchange.signal);
  } finally {
    await rm(archivePath, { force: true });
  }
}

/** The client waits with the body until it is asked for, so that a refusal comes before it. */
async function receive({ request, response, uploadLimits }: Exchange, path: string): Promise<void> {
  if (request.headers.expect !== undefined) response.writeContinue();
  await receiveUpload(request, path, uploadLimits);
}

async function followDeploy(backend: ControlBackend, exchange: Exchange): Promise<void> {
  const { query, response, signal } = exchange;
  const from = checkWhole(query.get('from') ?? '0', 'query.from');
  const events = backend.deployEvents(appOf(exchange), deployOf(exchange), { from, signal });
  await sendLines(response, events, signal);
}

async function logs(backend: ControlBackend, exchange: Exchange): Promise<void> {
  const { response, signal } = exchange;
  await sendLines(response, backend.logs(appOf(exchange), logQuery(exchange), signal), signal);
}

function explainQuery({ query }: Exchange): ExplainQuery {
  const [deploy, release] = [query.get('deploy'), query.get('release')];
  if (deploy !== null) return { deploy: checkWhole(deploy, 'query.deploy', 1) };
  return release === null ? {} : { release: checkWhole(release, 'query.release', 1) };
}

function logQuery({ query }: Exchange): LogQuery {
  const whole = (name: string): number | undefined => {
    const text = query.get(name);
    return text === null ? undefined : checkWhole(text, `query.${name}`);
  };
  const given = {
    tail: whole('tail'),
    process: query.get('process') ?? undefined,
    release: query.get('release') ?? undefined,
    sinceMs: whole('since'),
    grep: query.get('grep') ?? undefined,
  };
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    follow: checkFlag(query, 'follow'),
    ...(Object.fromEntries(present) as typeof given),
  } as LogQuery;
}
