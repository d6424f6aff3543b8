import { describe, expect, it } from 'vitest';
import { listeningOnOurPort } from './bind-address.ts';

describe('a command that listens elsewhere', () => {
  it.each([
    ['gunicorn a:app -b 0.0.0.0:5000', 'gunicorn a:app -b [::]:8000'],
    ['gunicorn --bind=127.0.0.1:8080 a:app', 'gunicorn --bind=[::]:8000 a:app'],
    ['gunicorn -w 4 --bind ":80" a:app', 'gunicorn -w 4 --bind "[::]:8000" a:app'],
    ['gunicorn -b unix:/tmp/a.sock a:app', 'gunicorn -b [::]:8000 a:app'],
    ['uvicorn a:app --host 0.0.0.0 --port 80', 'uvicorn a:app --host 0.0.0.0 --port 8000'],
    ['uvicorn a:app --host 127.0.0.1', 'uvicorn a:app --host ::'],
    ['python -m uvicorn a:app --port=9000', 'python -m uvicorn a:app --port=8000'],
    ['daphne -b 127.0.0.1 -p 8001 a:app', 'daphne -b 0.0.0.0 -p 8000 a:app'],
  ])('%s -> %s', (command, rewritten) => {
    const rebound = listeningOnOurPort(command);
    expect(rebound.command).toBe(rewritten);
    expect(rebound.replaced.length).toBeGreaterThan(0);
  });
});

describe('left as it is', () => {
  it.each([
    'gunicorn a:app',
    'gunicorn a:app --bind 0.0.0.0:$PORT',
    'gunicorn a:app -b :${PORT:-8000}',
    'uvicorn a:app --host 0.0.0.0 --port $PORT',
    'gunicorn -b unix:/tmp/a.sock -b :$PORT a:app',
    'python app.py --port 5000',
    'celery -A a worker -b redis://x',
  ])('%s', (command) => {
    expect(listeningOnOurPort(command)).toEqual({ command, replaced: [] });
  });
});
