// The control API over a real socket: plain requests and uploads; the backend alone is a fake.
import { once } from 'node:events';
import { readFile, readdir, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { TandemError } from '@tandem/protocol';
import { ControlClient } from '@tandem/protocol/client';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  UPLOAD_BYTES_MAX,
  codeOf,
  eventually,
  useControlServer,
  type ControlFixture,
} from '../support/control-fixture.ts';
import { appSummary } from '../support/fake-control-backend.ts';

const fixture = useControlServer();
let { directory, uploads, socketPath, backend, client, defects }: ControlFixture = fixture;
beforeEach(() => {
  ({ directory, uploads, socketPath, backend, client, defects } = fixture);
});

const runRequest = () => ({ command: ['cat'], terminal: false, columns: 0, rows: 0 });

/** A request as no client of ours would send it. */
async function raw(options: {
  method: string;
  path: string;
  body?: string;
}): Promise<{ status: number | undefined; body: { error?: Record<string, string> } }> {
  const { method, path, body } = options;
  const outgoing = request({ socketPath, method, path, agent: false });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [Readable & { statusCode?: number }];
  const text = (await response.toArray()).join('');
  return {
    status: response.statusCode,
    body: JSON.parse(text) as { error?: Record<string, string> },
  };
}

describe('plain requests', () => {
  it('are for root alone', async () => {
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600);
  });

  it('carry values both ways', async () => {
    await client.createApp('bakery');
    expect((await client.listApps()).map(({ name }) => name)).toEqual(['bakery']);
    expect((await client.getApp('bakery')).state).toBe('empty');
    expect(await client.rollback('bakery', { to: 7, force: true })).toMatchObject({ deploy: 1 });
    await client.scale('bakery', { processes: { web: { count: 2 }, worker: { memoryBytes: 1 } } });
    expect(await client.addDomain('bakery', 'Äpfel.example')).toMatchObject({
      host: 'Äpfel.example',
    });
    expect(await client.listDomains('bakery')).toHaveLength(1);
    const pem = { chainPem: 'C', privateKeyPem: 'K' };
    expect(await client.importCertificate('bakery', '*.a.example', pem)).toMatchObject({
      certificate: { source: 'imported' },
    });
    await client.removeDomain('bakery', '*.a.example');
    const change = { set: { maintenance: { text: 'ü' } }, unset: ['allow'] };
    expect(await client.changePolicy('bakery', change)).toEqual({ policy: change.set });
    expect(await client.getPolicy('bakery')).toEqual({ policy: change.set });
    await client.changeConfig('bakery', {
      set: { A: 'ä\n"' },
      unset: ['B'],
      secret: true,
      stage: true,
    });
    expect(backend.calls).toEqual([
      ['rollback', 'bakery', { to: 7, force: true }],
      ['scale', 'bakery', { processes: { web: { count: 2 }, worker: { memoryBytes: 1 } } }],
      ['add domain', 'bakery', 'Äpfel.example'],
      ['import', 'bakery', '*.a.example', pem],
      ['remove domain', 'bakery', '*.a.example'],
      ['policy', 'bakery', change],
      ['config', 'bakery', { set: { A: 'ä\n"' }, unset: ['B'], secret: true, stage: true }],
    ]);
    await client.destroyApp('bakery', 'bakery');
    expect(await codeOf(client.getApp('bakery'))).toBe('APP_NOT_FOUND');
  });

  it('answer the errors of the backend with their status, hint and place', async () => {
    backend.scale = async () => {
      throw new TandemError('NO_ROOM', 'too little', { where: 'n1', hint: 'smaller', log: 'logs' });
    };
    const error = await client
      .scale('bakery', { processes: {} })
      .catch((thrown: unknown) => thrown);
    expect((error as TandemError).toBody()).toEqual({
      code: 'NO_ROOM',
      message: 'too little',
      where: 'n1',
      hint: 'smaller',
      log: 'logs',
    });
    const answer = await raw({
      method: 'POST',
      path: '/v1/apps/bakery/scale',
      body: '{"processes":{}}',
    });
    expect(answer.status).toBe(507);
    expect(defects).toEqual([]);
  });

  it('report what is no TandemError as a defect, to the caller and to the agent', async () => {
    backend.listApps = async () => {
      throw new TypeError('x is not a function');
    };
    expect(await codeOf(client.listApps())).toBe('INTERNAL');
    expect(defects.map(({ message }) => message)).toEqual(['x is not a function']);
  });

  it.each([
    ['POST', '/v1/apps', '{"name":', 'body'],
    ['POST', '/v1/apps', '', 'body'],
    ['POST', '/v1/apps', '{"name":7}', 'body.name'],
    ['POST', '/v1/apps/bakery/rollback', '{"to":-1}', 'body.to'],
    [
      'POST',
      '/v1/apps/bakery/scale',
      '{"processes":{"web":{"count":1.5}}}',
      'body.processes.web.count',
    ],
    ['PATCH', '/v1/apps/bakery/config', '{"set":{"A":1},"unset":[]}', 'body.set.A'],
    ['GET', '/v1/apps/bakery/deploys/seven', '', 'deploy number'],
    ['GET', '/v1/apps/bakery/deploys/1/events?from=x', '', 'query.from'],
    ['GET', '/v1/apps/bakery/logs?tail=-1', '', 'query.tail'],
    ['GET', '/v1/apps/bakery/logs?follow=maybe', '', 'query.follow'],
  ])('%s %s %s names %s', async (method, path, body, where) => {
    const answer = await raw({ method, path, body });
    expect(answer).toMatchObject({
      status: 400,
      body: { error: { code: 'REQUEST_INVALID', where } },
    });
  });

  it.each(['Bakery', 'a--b', '-a', '42', 'a'.repeat(41), '..', 'a b', 'ä'])(
    'refuse the app name %j',
    async (name) => {
      expect(await codeOf(client.createApp(name))).toBe('APP_NAME_INVALID');
      expect(await codeOf(client.getApp(name))).toBe('APP_NAME_INVALID');
    },
  );

  it('refuse unknown paths, methods and undecodable names', async () => {
    for (const path of ['/', '/v1', '/v1/apps/', '/v2/apps', '/v1/apps/%ff', '/v1/apps/a/b/c']) {
      expect((await raw({ method: 'GET', path })).status).toBe(404);
    }
    expect((await raw({ method: 'PUT', path: '/v1/apps' })).status).toBe(404);
  });

  it('refuse a body over the limit', async () => {
    const name = 'x'.repeat(2 * 1024 * 1024);
    expect(await codeOf(client.createApp(name))).toBe('REQUEST_INVALID');
  });

  it('ask for the name before they destroy', async () => {
    backend.apps.set('bakery', appSummary('bakery'));
    expect(await codeOf(client.destroyApp('bakery', 'other'))).toBe('CONFIRMATION_NEEDED');
    expect(backend.apps.has('bakery')).toBe(true);
  });

  it('survive bytes that are no HTTP', async () => {
    const socket = connect(socketPath);
    socket.on('error', () => undefined);
    socket.write('\u0000\u0001 nonsense\r\n\r\n');
    await once(socket.resume(), 'close');
    expect(await client.listApps()).toEqual([]);
  });

  it('tell an absent platform from a refused user', async () => {
    const nowhere = new ControlClient(join(directory, 'no.sock'));
    expect(await codeOf(nowhere.listApps())).toBe('PLATFORM_UNREACHABLE');
    expect(await codeOf(nowhere.run('a', runRequest()))).toBe('PLATFORM_UNREACHABLE');
  });
});

describe('uploads', () => {
  const deploy = (archive: Readable, signal?: AbortSignal) =>
    client.deploy('bakery', archive, { create: true, ...(signal ? { signal } : {}) });

  it('arrive byte by byte as they were sent', async () => {
    const content = Buffer.alloc(700_000, 'tandem ');
    expect(await deploy(Readable.from([content.subarray(0, 10), content.subarray(10)]))).toEqual({
      app: 'bakery',
      deploy: 1,
      created: true,
    });
    expect((await readFile(backend.archives[0] ?? '')).equals(content)).toBe(true);
  });

  it('are refused before a byte of the body is read', async () => {
    backend.prepareDeploy = async () => {
      throw new TandemError('DEPLOY_IN_PROGRESS', 'busy');
    };
    let pulled = 0;
    const archive = new Readable({
      highWaterMark: 1,
      read() {
        pulled += 1;
        this.push(Buffer.alloc(65_536));
      },
    });
    expect(await codeOf(deploy(archive))).toBe('DEPLOY_IN_PROGRESS');
    expect(pulled).toBe(0);
    expect(archive.destroyed).toBe(true);
  });

  it('over the limit are refused in the middle and leave no file', async () => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(65_536));
      },
    });
    expect(await codeOf(deploy(endless))).toBe('UPLOAD_TOO_LARGE');
    expect(endless.destroyed).toBe(true);
    expect(await readdir(uploads)).toEqual([]);
    expect(backend.archives).toEqual([]);
  });

  it('whose declared size is over the limit are refused at once', async () => {
    const outgoing = request({
      socketPath,
      method: 'POST',
      path: '/v1/apps/bakery/deploys?create=true',
      headers: { 'content-length': UPLOAD_BYTES_MAX + 1 },
      agent: false,
    });
    outgoing.flushHeaders();
    const [response] = (await once(outgoing, 'response')) as [Readable & { statusCode?: number }];
    expect(response.statusCode).toBe(413);
    outgoing.on('error', () => undefined).destroy();
    expect(await readdir(uploads)).toEqual([]);
  });

  it('that the client gives up leave no file', async () => {
    const giveUp = new AbortController();
    const stalled = new Readable({ read: () => undefined });
    stalled.push(Buffer.alloc(100_000));
    const answer = codeOf(deploy(stalled, giveUp.signal));
    await eventually(async () => expect((await readdir(uploads)).length).toBe(1));
    giveUp.abort();
    expect(await answer).toBe('CANCELLED');
    await eventually(async () => expect(await readdir(uploads)).toEqual([]));
    expect(backend.archives).toEqual([]);
  });

  it('that stall are given up', async () => {
    const stalled = new Readable({ read: () => undefined });
    stalled.push(Buffer.alloc(100_000));
    expect(await codeOf(deploy(stalled))).toBe('PLATFORM_UNREACHABLE');
    await eventually(async () => expect(await readdir(uploads)).toEqual([]));
  });

  it('tell an unreadable file as what it is', async () => {
    const broken = new Readable({
      read() {
        this.destroy(new TandemError('UPLOAD_INCOMPLETE', 'a.py cannot be read'));
      },
    });
    expect(await codeOf(deploy(broken))).toBe('UPLOAD_INCOMPLETE');
    await eventually(async () => expect(await readdir(uploads)).toEqual([]));
  });

  it('for detection are removed afterwards, also when it fails', async () => {
    expect(await client.detect(Readable.from([Buffer.from('tar')]))).toMatchObject({
      findings: [{ rule: 'framework' }],
      toml: 'python = "3.12"\n',
    });
    backend.detect = async () => {
      throw new TandemError('NO_APP_DETECTED', 'nothing');
    };
    expect(await codeOf(client.detect(Readable.from([Buffer.from('tar')])))).toBe(
      'NO_APP_DETECTED',
    );
    await eventually(async () => expect(await readdir(uploads)).toEqual([]));
  });
});
