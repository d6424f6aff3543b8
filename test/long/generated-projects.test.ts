// Projects that a generator of PyPI makes, larger than Django's own, as they come.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FreshSite } from '../support/fresh-site.ts';
import {
  createInstallation,
  destroyInstallation,
  TestInstallation,
  type InstallationPlace,
} from '../support/installation.ts';
import { Workshop } from '../support/projects.ts';

let place: InstallationPlace;
let t: TestInstallation;
let workshop: Workshop;
beforeAll(async () => {
  place = await createInstallation();
  t = await TestInstallation.open(place);
  workshop = await Workshop.open();
});
afterAll(async () => {
  await workshop.close();
  await destroyInstallation(place);
});

describe('a fresh wagtail project', () => {
  const app = 'fresh-wagtail';
  let site: FreshSite;
  beforeAll(() => {
    site = new FreshSite(t, app);
  });

  it('goes live, and a change of code does no dependency work', async () => {
    await workshop.run(app, ['wagtail'], ['wagtail', 'start', 'bakery', '.']);
    const source = join(workshop.root, app);
    const page = { path: '/', text: /Welcome to your new Wagtail site/, file: 'bakery/urls.py' };
    await site.deployTwice(source, page);
  });

  it('has its admin on PostgreSQL, with static files', async () => {
    expect(await site.vendor()).toBe('postgresql');
    await site.createSuperuser();
    const visitor = await site.signIn('/admin/login/');
    const page = await visitor.get('/admin/');
    expect(page.status).toBe(200);
    const script = /src="(\/static\/wagtailadmin\/js\/[^"]+)"/.exec(page.body)?.[1] ?? '';
    expect((await t.get(app, script)).status).toBe(200);
  });
});
