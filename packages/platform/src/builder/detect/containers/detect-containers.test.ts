// What compose files and Dockerfiles change in the detection of whole projects.
import { describe, expect, it } from 'vitest';
import { detect } from '../detect.ts';
import { equivalentToml } from '../equivalent-toml.ts';
import { memoryTree } from '../source-tree.ts';

const DJANGO = {
  'requirements.txt': 'django==5.2\ncelery\n',
  'manage.py': 'import sys\nfrom django.core.management import execute_from_command_line\n',
  'shop/__init__.py': '',
  'shop/settings/__init__.py': '',
  'shop/settings/base.py': "import os\nSECRET_KEY = 'x'\nTITLE = os.environ['TITLE']\n",
  'shop/settings/live_site.py': 'from .base import *\n',
  'shop/settings/dev.py': 'from .base import *\n',
  'shop/queue.py': 'app = object()\n',
};
const DOCKERFILE =
  'FROM python:3.12\nENV DJANGO_SETTINGS_MODULE=shop.settings.live_site TITLE="A shop"\n';
const COMPOSE = `services:
  web:
    build: .
    command: gunicorn shop.wsgi
    ports: ["80:8000"]
  tasks:
    build: .
    command: celery -A shop.queue worker
`;
const found = (files: Record<string, string>, config = {}) =>
  detect(memoryTree(files), { pythonVersions: ['3.12.1'], config });

describe('a Django project in containers', () => {
  const files = { ...DJANGO, Dockerfile: DOCKERFILE, 'compose.yml': COMPOSE };

  it('takes settings, a variable and a process from them', () => {
    const { settings, variables, named } = found(files);
    expect(settings?.name).toBe('shop.settings.live_site');
    expect(variables.constants).toMatchObject({ TITLE: 'A shop' });
    expect(variables.missing).toEqual([]);
    expect(named.processes['worker']?.command).toMatch(/celery -A shop\.queue worker/);
    expect(found(files).findings).toContainEqual(
      expect.objectContaining({ value: 'TITLE = A shop', evidence: 'Dockerfile:2' }),
    );
  });

  it('keeps what its entry points, its Procfile and its user say', () => {
    const wsgi =
      "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings.base')\n";
    expect(found({ ...files, 'shop/wsgi.py': wsgi }).settings?.name).toBe('shop.settings.base');
    const Procfile = 'web: gunicorn shop.wsgi\nqueue: celery -A shop.queue worker\n';
    expect(Object.keys(found({ ...files, Procfile }).named.processes)).toEqual(['web', 'queue']);
    const toml = { 'tandem.toml': '[processes]\nweb = "gunicorn shop.wsgi"\n' };
    expect(Object.keys(found({ ...files, ...toml }).named.processes)).toEqual(['web']);
    expect(found(files, { TITLE: 'Mine' }).variables.constants).not.toHaveProperty('TITLE');
  });

  it('does not take settings for development from them, nor for something else', () => {
    const dev = DOCKERFILE.replace('live_site', 'dev');
    const gone = DOCKERFILE.replace('live_site', 'gone');
    const plain = found({ ...DJANGO, 'compose.yml': '' }).settings?.name;
    expect(found({ ...files, Dockerfile: dev }).settings?.name).toBe(plain);
    expect(found({ ...files, Dockerfile: gone }).settings?.name).toBe(plain);
  });

  it('is the same with the tandem.toml that says so', () => {
    const first = found(files);
    const again = found({ ...files, 'tandem.toml': equivalentToml(first) });
    expect(again.named.processes).toEqual(first.named.processes);
    expect(again.settings?.name).toBe(first.settings?.name);
    expect(again.variables.constants).toEqual(first.variables.constants);
  });

  it('is not troubled by files that nobody can read', () => {
    const broken = { 'compose.yml': 'services: [\n', Dockerfile: 'FROM\nENV\nCMD [\n' };
    const { findings, named } = found({ ...DJANGO, ...broken });
    expect(named.processes).toEqual({});
    expect(findings).toContainEqual(
      expect.objectContaining({ rule: 'containers', value: 'compose.yml not read' }),
    );
  });
});
