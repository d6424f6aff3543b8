import { describe, expect, it } from 'vitest';
import { optionsFirst, withCeleryOptionsFirst } from './celery-command.ts';
import { parseLock } from './steps/lock.ts';

describe('optionsFirst', () => {
  it.each([
    [
      'celery worker -A shop.app:app --loglevel=info -E',
      'celery -A shop.app:app worker --loglevel=info -E',
    ],
    ['celery beat --app=shop -l info', 'celery --app=shop beat -l info'],
    [
      'python -m celery worker -b "$REDIS_URL" -A shop',
      'python -m celery -b "$REDIS_URL" -A shop worker',
    ],
    [
      'sleep 1 && celery worker -A shop -c 2 && echo x',
      'sleep 1 && celery -A shop worker -c 2 && echo x',
    ],
  ])('%s', (command, expected) => {
    expect(optionsFirst(command)).toBe(expected);
  });

  it.each([
    'celery -A shop worker -l info',
    'celery worker -l info',
    'python manage.py celery worker2 -A x',
    'gunicorn shop.wsgi',
  ])('leaves %s', (command) => {
    expect(optionsFirst(command)).toBe(command);
  });
});

describe('processes', () => {
  const worker = { command: 'celery worker -A shop', kind: 'worker' } as const;
  const said = (lock: string) => withCeleryOptionsFirst({ worker }, parseLock(lock));

  it('are changed for Celery 5, and that is said', () => {
    expect(said('celery==5.4.0\n')).toEqual({
      processes: { worker: { command: 'celery -A shop worker', kind: 'worker' } },
      findings: [
        {
          rule: 'process',
          value: 'worker: celery -A shop worker',
          why: 'Celery 5.4.0 wants its options before the command',
        },
      ],
    });
  });

  it.each(['celery==4.4.7\n', 'six==1.16.0\n'])('stay as they are with %s', (lock) => {
    expect(said(lock)).toEqual({ processes: { worker }, findings: [] });
  });
});
