// What a person does with a fresh project once it is deployed: looks at a page, changes the code, reads
// the log, signs in.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { TestInstallation } from './installation.ts';

export class FreshSite {
  readonly app: string;
  readonly #t: TestInstallation;

  constructor(t: TestInstallation, app: string) {
    this.#t = t;
    this.app = app;
  }

  /** First deploy, a page, a change of code, second deploy; then what both must have left in the log. */
  async deployTwice(
    source: string,
    page: { readonly path: string; readonly text: RegExp; readonly file: string },
  ): Promise<void> {
    const t = this.#t;
    const first = await t.mustTandem(['deploy', source, '-a', this.app]);
    const address = `http://${t.hostname(this.app)}:${t.port}`;
    expect(first.stdout + first.stderr).toContain(`Live     v1 ${address}`);
    const answer = await t.get(this.app, page.path);
    expect(answer.status, answer.body).toBe(200);
    expect(answer.body).toMatch(page.text);

    const file = join(source, page.file);
    const text = await readFile(file, 'utf8');
    await writeFile(file, `${text}\nprint("loaded the second version")\n`);
    const second = await t.mustTandem(['deploy', source, '-a', this.app]);
    expect(second.stdout + second.stderr).toMatch(/dependencies .*\bkept\b/);
    expect(second.stdout + second.stderr).toContain('Live     v2');
    expect((await t.get(this.app, page.path)).status).toBe(200);
    await this.expectLog(['-p', 'router'], `GET ${t.hostname(this.app)}${page.path} 200`);
    await this.expectLog(['-p', 'web', '--release', 'v2'], 'loaded the second version');
  }

  /** Request lines arrive in batches. */
  async expectLog(query: readonly string[], line: string): Promise<void> {
    const read = async () => await this.#t.mustTandem(['logs', '-a', this.app, ...query]);
    await expect.poll(async () => (await read()).stdout, { timeout: 10_000 }).toContain(line);
  }

  async createSuperuser(): Promise<void> {
    const command = ['python', 'manage.py', 'createsuperuser', '--noinput'];
    const who = ['--username', 'ada', '--email', 'ada@example.org'];
    const environment = ['env', 'DJANGO_SUPERUSER_PASSWORD=lovelace-1815'];
    await this.#t.mustTandem(['run', '-a', this.app, '--', ...environment, ...command, ...who]);
  }

  /** Through the admin's own form; the session is a row of the database. */
  async signIn(loginPath: string): Promise<Visitor> {
    const visitor = new Visitor(this.#t, this.app);
    const fields = { username: 'ada', password: 'lovelace-1815' };
    expect(await visitor.post(loginPath, fields)).toBe(302);
    return visitor;
  }

  async vendor(): Promise<string> {
    const script = 'from django.db import connection; print(connection.vendor)';
    const command = ['python', 'manage.py', 'shell', '-v', '0', '-c', script];
    return (await this.#t.mustTandem(['run', '-a', this.app, '--', ...command])).stdout.trim();
  }
}

/** A visitor with a cookie jar who fills in Django's forms. */
class Visitor {
  readonly #t: TestInstallation;
  readonly #app: string;
  readonly #cookies = new Map<string, string>();

  constructor(t: TestInstallation, app: string) {
    this.#t = t;
    this.#app = app;
  }

  async get(path: string): Promise<{ status: number; body: string }> {
    return await this.#ask('GET', path);
  }

  async post(path: string, fields: Readonly<Record<string, string>>): Promise<number> {
    const { body } = await this.get(path);
    const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(body)?.[1] ?? '';
    const form = new URLSearchParams({ ...fields, csrfmiddlewaretoken: token });
    return (await this.#ask('POST', path, form.toString())).status;
  }

  async #ask(method: string, path: string, body?: string) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await this.#t.request(this.#app, path, {
      method,
      headers: { cookie, ...(body === undefined ? {} : type) },
      ...(body === undefined ? {} : { body }),
    });
    for (const set of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      this.#cookies.set(name, value);
    }
    return answer;
  }
}
