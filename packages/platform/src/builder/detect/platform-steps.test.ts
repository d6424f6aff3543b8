import { describe, expect, it } from 'vitest';
import { withoutPlatformSteps } from './platform-steps.ts';

describe('withoutPlatformSteps', () => {
  it.each([
    [
      'python manage.py migrate && python manage.py collectstatic --no-input && gunicorn site.wsgi',
      'gunicorn site.wsgi',
    ],
    ['python3 manage.py migrate --noinput; gunicorn a.wsgi', 'gunicorn a.wsgi'],
    [
      './manage.py migrate && exec daphne -p $PORT a.asgi:application',
      'exec daphne -p $PORT a.asgi:application',
    ],
    ['python src/manage.py collectstatic -c --noinput -v 0 && a && b; c', 'a && b; c'],
    ['a && python manage.py migrate && b', 'a && b'],
    ['django-admin migrate', ''],
    ['yes "yes" | python manage.py migrate', ''],
    [
      'flask db upgrade; flask translate compile; gunicorn a:app',
      'flask translate compile; gunicorn a:app',
    ],
    ['alembic upgrade head && uvicorn a:app --port $PORT', 'uvicorn a:app --port $PORT'],
    ['python manage.py migrate --no-input', ''],
  ])('%s -> %s', (command, left) => {
    expect(withoutPlatformSteps(command).command).toBe(left);
  });

  it.each([
    'gunicorn site.wsgi',
    'yes | ./install && gunicorn a:app',
    'flask db stamp head && gunicorn a:app',
    // Not the plain step: an app, another database, a fake.
    'python manage.py migrate shop && gunicorn a.wsgi',
    'python manage.py migrate --database=other_db something && gunicorn a.wsgi',
    'python manage.py loaddata start && gunicorn a.wsgi',
    // Too intricate to cut.
    'sh -c "python manage.py migrate && gunicorn a.wsgi"',
    'python manage.py migrate || true; gunicorn a.wsgi',
    '(python manage.py migrate && gunicorn a.wsgi)',
  ])('leaves %s as it is', (command) => {
    expect(withoutPlatformSteps(command)).toEqual({ command, leftOut: [], once: [] });
  });

  it('names what it left out', () => {
    const { leftOut } = withoutPlatformSteps('python manage.py migrate && gunicorn a.wsgi');
    expect(leftOut).toEqual(['python manage.py migrate']);
  });

  it.each([
    'flask db upgrade',
    'flask --app shop:create_app db upgrade',
    'python -m alembic upgrade head',
  ])('keeps %s for the release phase', (step) => {
    expect(withoutPlatformSteps(`${step} && gunicorn a:app`)).toEqual({
      command: 'gunicorn a:app',
      leftOut: [],
      once: [step],
    });
  });
});
