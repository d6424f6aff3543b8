import { describe, expect, it } from 'vitest';
import { memoryTree } from '../source-tree.ts';
import { readComposeFile } from './compose-file.ts';

const read = (text: string, others: Record<string, string> = {}, path = 'compose.yml') =>
  readComposeFile(memoryTree({ [path]: text, ...others }), path);
const service = (text: string, name: string, others: Record<string, string> = {}) =>
  read(text, others)?.services.find((one) => one.name === name);
const values = (text: string, others: Record<string, string> = {}) =>
  service(text, 'web', others)?.environment.map(({ name, value }) => `${name}=${value}`);

describe('readComposeFile', () => {
  it('reads a service, with the lines of what it says', () => {
    const web = service(
      `version: "3"
services:
  web:
    build:
      context: ./app
      dockerfile: Dockerfile.prod
    command: gunicorn shop.wsgi
    restart: unless-stopped
    ports: ["80:8000"]
`,
      'web',
    );
    expect(web).toMatchObject({
      build: { context: 'app', dockerfile: 'app/Dockerfile.prod' },
      command: { text: 'gunicorn shop.wsgi', evidence: 'compose.yml:7' },
      restarts: true,
      hasPorts: true,
      hasProfiles: false,
    });
  });

  it('reads commands as lists, folded texts and with defaults', () => {
    const text = `services:
  a: { command: ["celery", "-A", "shop", "worker"] }
  b:
    command: >
      celery -A shop
      worker
  c: { command: 'celery -A \${APP:-shop} worker -c $$N' }
  d: { command: "" }
  e: { command: }
`;
    const commands = ['a', 'b', 'c', 'd', 'e'].map((name) => service(text, name)?.command?.text);
    expect(commands).toEqual([
      'celery -A shop worker',
      'celery -A shop worker',
      'celery -A shop worker -c $N',
      undefined,
      undefined,
    ]);
  });

  it('reads variables as a list and as a mapping, as they are written', () => {
    expect(
      values(`services:
  web:
    environment:
      - A=1
      - "B=two words"
      - C=
      - FROM_OUTSIDE
      - 5
`),
    ).toEqual(['A=1', 'B=two words', 'C=']);
    expect(
      values(`services:
  web:
    environment:
      A: 1.10
      B: yes
      C: "x"
      D:
      E: null
      F: [1]
`),
    ).toEqual(['A=1.10', 'B=yes', 'C=x']);
  });

  it('follows anchors and merges; its own come first', () => {
    const text = `x-app: &app
  build: .
  environment: &env
    A: base
services:
  web:
    <<: *app
    environment:
      <<: *env
      B: own
  worker:
    <<: [*app, { restart: always }]
    command: celery -A shop worker
`;
    expect(values(text)?.toSorted()).toEqual(['A=base', 'B=own']);
    expect(service(text, 'worker')).toMatchObject({
      build: { context: '', dockerfile: 'Dockerfile' },
      restarts: true,
      command: { evidence: 'compose.yml:13' },
    });
  });

  it('follows extends, within the file and into another, and not in a circle', () => {
    const base = `services:
  base:
    build: ..
    environment: [A=1, B=1]
`;
    const text = `services:
  web:
    extends: { file: docker/base.yml, service: base }
    environment: [B=2]
  again: { extends: web }
  round: { extends: { service: turn } }
  turn: { extends: round, command: a }
  lost: { extends: { file: ../outside.yml, service: x } }
`;
    const others = { 'docker/base.yml': base };
    expect(values(text, others)).toEqual(['A=1', 'B=1', 'B=2']);
    expect(service(text, 'again', others)?.build).toEqual({
      context: '',
      dockerfile: 'Dockerfile',
    });
    expect(service(text, 'round', others)?.command?.text).toBe('a');
    expect(service(text, 'lost', others)).toMatchObject({ environment: [] });
  });

  it('keeps paths in the source', () => {
    const text = `services:
  a: { build: ../../elsewhere }
  b: { build: "https://example.org/repo.git" }
  c: { build: /srv }
  d: { build: "\${CONTEXT}" }
  e: { build: { context: ., dockerfile: ../Dockerfile } }
  web: { env_file: [.env.prod, ../secrets, { path: config/.env, required: false }] }
`;
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      expect(service(text, name)?.build).toBeUndefined();
    expect(service(text, 'web')?.envFiles).toEqual(['.env.prod', 'config/.env']);
  });

  it.each([
    ['services:\n  web: [\n', /./],
    ['services:\n  web:\n\tbuild: .\n', /./],
    ['{% if x %}\nservices:\n  web: {%- y %}\n', /./],
  ])('says what is wrong with %j', (text, what) => {
    const file = read(text);
    expect(file?.services).toEqual([]);
    expect(file?.problem?.what).toMatch(what);
    expect(file?.problem?.evidence).toMatch(/^compose\.yml:\d+$/);
  });

  it.each(['', 'a: 1\n', 'name: services\n', '- services\n'])('is not for %j', (text) => {
    expect(read(text)).toBeUndefined();
  });

  it.each([
    'services: 5\n',
    'services: [a]\n',
    'services:\n',
    'services:\n  web: 5\n',
    'services: &a\n  web: *a\n',
    'services:\n  web: &w { <<: *w, build: . }\n',
    'services:\n  web: { command: !reset null, environment: !override [A=1] }\n',
    'services:\n  web: { build: { context: [1] }, ports: {a: b}, env_file: {x: y} }\n',
  ])('lives with %j', (text) => {
    expect(() => read(text)).not.toThrow();
  });

  it('is not blown up by aliases of aliases, nor by depth', () => {
    const levels = Array.from({ length: 30 }, (_, index) => {
      const inner =
        index === 0
          ? '{ A: 1 }'
          : `{ <<: [${Array(9)
              .fill(`*l${index - 1}`)
              .join(', ')}] }`;
      return `x${index}: &l${index} ${inner}`;
    });
    const bomb = `${levels.join('\n')}\nservices:\n  web: { environment: *l29 }\n`;
    const start = performance.now();
    expect(read(bomb)?.services).toHaveLength(1);
    expect(read(`services: ${'['.repeat(100_000)}`)?.services).toEqual([]);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
