// Client of the control API: one method per endpoint, over a unix socket.
import type { Duplex, Readable } from 'node:stream';
import type * as v from 'valibot';
import * as api from './api.ts';
import {
  ANSWER_TIMEOUT_MS,
  exchangeJson,
  exchangeLines,
  unreachable,
  type Call,
} from './http-exchange.ts';
import { request } from './node-http.ts';
import { RUN_PROTOCOL, encodeRunJson } from './run-frames.ts';
import { TandemError } from './tandem-error.ts';

/** Work that the answer waits for: processes end, images unmount. */
const DESTROY_TIMEOUT_MS = 10 * 60_000;
const DETECT_TIMEOUT_MS = 2 * 60_000;

export interface LogOptions {
  readonly follow?: boolean | undefined;
  readonly tail?: number | undefined;
  readonly process?: string | undefined;
  readonly release?: string | undefined;
  readonly sinceMs?: number | undefined;
  readonly grep?: string | undefined;
}

export class ControlClient {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async listApps(): Promise<api.AppSummary[]> {
    return (await this.#get('/v1/apps', api.AppList)).apps;
  }

  createApp(name: string): Promise<api.AppSummary> {
    return this.#post('/v1/apps', { name }, api.AppSummary);
  }

  getApp(app: string): Promise<api.AppSummary> {
    return this.#get(appPath(app), api.AppSummary);
  }

  async destroyApp(app: string, confirm: string): Promise<void> {
    await this.#call(
      { method: 'DELETE', path: appPath(app), query: { confirm }, timeoutMs: DESTROY_TIMEOUT_MS },
      api.Destroyed,
    );
  }

  /** The archive is a tar, plain or gzip; it is destroyed when the platform refuses it. */
  deploy(
    app: string,
    archive: Readable,
    options: { create: boolean; signal?: AbortSignal },
  ): Promise<api.DeployStarted> {
    const { create, signal } = options;
    return this.#call(
      {
        method: 'POST',
        path: `${appPath(app)}/deploys`,
        query: { create },
        upload: archive,
        signal,
      },
      api.DeployStarted,
    );
  }

  retryDeploy(app: string): Promise<api.DeployStarted> {
    return this.#post(`${appPath(app)}/deploys/retry`, undefined, api.DeployStarted);
  }

  async listDeploys(app: string): Promise<api.DeployStatus[]> {
    return (await this.#get(`${appPath(app)}/deploys`, api.DeployList)).deploys;
  }

  getDeploy(app: string, deploy: number): Promise<api.DeployStatus> {
    return this.#get(`${appPath(app)}/deploys/${deploy}`, api.DeployStatus);
  }

  cancelDeploy(app: string, deploy: number): Promise<api.DeployStatus> {
    return this.#post(`${appPath(app)}/deploys/${deploy}/cancel`, undefined, api.DeployStatus);
  }

  /** One connection's worth of events; the end of it without `finished` asks for another one. */
  deployEvents(
    app: string,
    deploy: number,
    options: { from: number; signal?: AbortSignal },
  ): AsyncGenerator<api.DeployEvent> {
    const { from, signal } = options;
    const path = `${appPath(app)}/deploys/${deploy}/events`;
    return this.#lines({ method: 'GET', path, query: { from }, signal }, api.DeployEvent);
  }

  async listReleases(app: string): Promise<api.ReleaseSummary[]> {
    return (await this.#get(`${appPath(app)}/releases`, api.ReleaseList)).releases;
  }

  listFindings(app: string): Promise<api.ReleaseFindings> {
    return this.#get(`${appPath(app)}/findings`, api.ReleaseFindings);
  }

  rollback(app: string, change: api.RollbackRequest): Promise<api.DeployStarted> {
    return this.#post(`${appPath(app)}/rollback`, change, api.DeployStarted);
  }

  restart(app: string): Promise<api.DeployStarted> {
    return this.#post(`${appPath(app)}/restart`, undefined, api.DeployStarted);
  }

  scale(app: string, change: api.ScaleRequest): Promise<api.DeployStarted> {
    return this.#post(`${appPath(app)}/scale`, change, api.DeployStarted);
  }

  getConfig(app: string): Promise<api.ConfigView> {
    return this.#get(`${appPath(app)}/config`, api.ConfigView);
  }

  changeConfig(app: string, change: api.ConfigChange): Promise<api.ConfigChanged> {
    const path = `${appPath(app)}/config`;
    return this.#call({ method: 'PATCH', path, json: change }, api.ConfigChanged);
  }

  async listDomains(app: string): Promise<api.DomainView[]> {
    return (await this.#get(`${appPath(app)}/domains`, api.DomainList)).domains;
  }

  addDomain(app: string, host: string): Promise<api.DomainView> {
    return this.#post(`${appPath(app)}/domains`, { host }, api.DomainView);
  }

  async removeDomain(app: string, host: string): Promise<void> {
    await this.#call({ method: 'DELETE', path: domainPath(app, host) }, api.DomainRemoved);
  }

  importCertificate(
    app: string,
    host: string,
    upload: api.CertificateUpload,
  ): Promise<api.DomainView> {
    const path = `${domainPath(app, host)}/certificate`;
    return this.#call({ method: 'PUT', path, json: upload }, api.DomainView);
  }

  getPolicy(app: string): Promise<api.PolicyView> {
    return this.#get(`${appPath(app)}/policy`, api.PolicyView);
  }

  changePolicy(app: string, change: api.PolicyChange): Promise<api.PolicyView> {
    const path = `${appPath(app)}/policy`;
    return this.#call({ method: 'PATCH', path, json: change }, api.PolicyView);
  }

  async listProcesses(app: string): Promise<api.ProcessView[]> {
    return (await this.#get(`${appPath(app)}/processes`, api.ProcessList)).processes;
  }

  /** At most one of the two; without either, what is worth explaining now. */
  explain(
    app: string,
    about: { deploy?: number | undefined; release?: number | undefined } = {},
  ): Promise<api.Explanation> {
    const path = `${appPath(app)}/explanation`;
    return this.#call({ method: 'GET', path, query: about }, api.Explanation);
  }

  logs(app: string, options: LogOptions, signal?: AbortSignal): AsyncGenerator<api.LogLine> {
    const { sinceMs, ...rest } = options;
    const query = { ...rest, since: sinceMs };
    return this.#lines({ method: 'GET', path: `${appPath(app)}/logs`, query, signal }, api.LogLine);
  }

  /** The connection after its upgrade, the `start` frame sent; the caller speaks frames from here. */
  run(app: string, start: api.RunRequest): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const outgoing = request({
        socketPath: this.#socketPath,
        method: 'POST',
        path: `${appPath(app)}/run`,
        headers: { connection: 'Upgrade', upgrade: RUN_PROTOCOL },
        agent: false,
      });
      outgoing.setTimeout(ANSWER_TIMEOUT_MS, () => outgoing.destroy(new Error('no answer')));
      outgoing.once('error', (error) => reject(unreachable(this.#socketPath, error)));
      outgoing.once('response', (response) => {
        response.resume();
        reject(new TandemError('INTERNAL', `The platform answered ${response.statusCode} to run.`));
      });
      outgoing.once('upgrade', (_response, socket, head) => {
        socket.setTimeout(0);
        if (head.length > 0) socket.unshift(head);
        socket.write(encodeRunJson('start', start));
        resolve(socket);
      });
      outgoing.end();
    });
  }

  status(): Promise<api.PlatformStatus> {
    return this.#get('/v1/status', api.PlatformStatus);
  }

  async doctor(): Promise<api.DoctorCheck[]> {
    return (await this.#get('/v1/doctor', api.DoctorReport)).checks;
  }

  async detect(archive: Readable, signal?: AbortSignal): Promise<api.DetectResult> {
    const call: Call = {
      method: 'POST',
      path: '/v1/detect',
      upload: archive,
      timeoutMs: DETECT_TIMEOUT_MS,
      signal,
    };
    return await this.#call(call, api.DetectResult);
  }

  #get<S extends v.GenericSchema>(path: string, schema: S): Promise<v.InferOutput<S>> {
    return this.#call({ method: 'GET', path }, schema);
  }

  #post<S extends v.GenericSchema>(
    path: string,
    json: unknown,
    schema: S,
  ): Promise<v.InferOutput<S>> {
    return this.#call({ method: 'POST', path, json }, schema);
  }

  #call<S extends v.GenericSchema>(call: Call, schema: S): Promise<v.InferOutput<S>> {
    return exchangeJson(this.#socketPath, call, schema);
  }

  #lines<S extends v.GenericSchema>(call: Call, schema: S): AsyncGenerator<v.InferOutput<S>> {
    return exchangeLines(this.#socketPath, call, schema);
  }
}

function appPath(app: string): string {
  return `/v1/apps/${encodeURIComponent(app)}`;
}

function domainPath(app: string, host: string): string {
  return `${appPath(app)}/domains/${encodeURIComponent(host)}`;
}
