import { describe, expect, it } from 'vitest';
import { detectEntryPoint } from '../entry-point.ts';
import { memoryTree } from '../source-tree.ts';
import { readContainers } from './containers.ts';
import { servedApplications } from './served-application.ts';

const APP = 'from fastapi import FastAPI\napp = FastAPI()\n';
const FACTORY = 'from flask import Flask\ndef create_app():\n    return Flask(__name__)\n';

/** The entry of a project with these files, whose image ends so. */
function entry(end: string, files: Record<string, string>) {
  const tree = memoryTree({ Dockerfile: `FROM python:3.12\nWORKDIR /app\n${end}\n`, ...files });
  const contained = servedApplications(readContainers(tree, ''), '');
  const { value, findings } = detectEntryPoint(tree, '', { contained });
  const shown = `${value.module}:${value.attribute}${value.factory ? '()' : ''}`;
  return { shown, value, evidence: findings.find(({ rule }) => rule === 'entry')?.evidence };
}

const SEVERAL = { 'app.py': APP, 'service.py': APP, 'inner/web.py': APP, 'make.py': FACTORY };

describe('the entry of a project whose source shows several', () => {
  it.each([
    ['CMD ["uvicorn", "service:app"]', 'service:app'],
    ['CMD exec gunicorn -k uvicorn.workers.UvicornWorker service:app', 'service:app'],
    ['CMD gunicorn -c python:conf --bind 0.0.0.0:80 inner.web:app', 'inner.web:app'],
    ['CMD gunicorn --chdir inner web:app', 'web:app'],
    ['CMD uvicorn --app-dir=/app/inner web:app', 'web:app'],
    ['CMD ["gunicorn", "make:create_app()"]', 'make:create_app()'],
    ['CMD uvicorn --factory make:create_app', 'make:create_app()'],
    ['CMD fastapi run service.py', 'service:app'],
    ['CMD python /app/inner/web.py', 'inner.web:app'],
    ['CMD uwsgi --http :80 --module service:app', 'service:app'],
    ['CMD uwsgi --wsgi-file service.py --callable app', 'service:app'],
    ['ENV FLASK_APP=make.py\nCMD flask run --host 0.0.0.0', 'make:create_app()'],
    ['CMD granian --interface asgi service:app', 'service:app'],
    ['CMD if [ "$DEV" ]; then ./dev; else uvicorn service:app; fi', 'service:app'],
  ])('%j', (end, wanted) => {
    expect(entry(end, SEVERAL).shown).toBe(wanted);
  });

  it.each([
    'CMD gunicorn gone:app',
    'CMD gunicorn $APP',
    'CMD gunicorn -b unix:/run/app',
    'CMD ["python", "-m", "http.server"]',
    'CMD python manage.py runserver',
    'CMD nginx',
    '',
  ])('stays what the source says with %j', (end) => {
    expect(entry(end, SEVERAL)).toMatchObject({ shown: 'app:app', evidence: 'app.py:2' });
  });

  it('says where it is run', () => {
    expect(entry('CMD uvicorn service:app', SEVERAL).evidence).toBe('Dockerfile:3');
  });
});

describe('the entry of a project whose source shows', () => {
  it('one, is that one', () => {
    const files = { 'app.py': APP, 'other.py': 'import app\n' };
    expect(entry('CMD gunicorn other:app', files).shown).toBe('app:app');
  });

  it('none, is what its container serves, of the kind of its server', () => {
    const files = { 'web/serve.py': 'app = build()\n' };
    const served = entry('CMD hypercorn web.serve:app', files);
    expect(served).toMatchObject({ shown: 'web.serve:app', value: { kind: 'asgi' } });
    expect(entry('CMD gunicorn web.serve:app', files).value.kind).toBe('wsgi');
    const worker = 'CMD gunicorn -k uvicorn.workers.UvicornWorker web.serve:app';
    expect(entry(worker, files).value.kind).toBe('asgi');
  });

  it('none, and no container either, is refused', () => {
    expect(() => entry('CMD gunicorn gone:app', { 'x.py': 'a = 1\n' })).toThrow(/no application/);
  });
});
