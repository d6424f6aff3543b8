// The platform itself: status, doctor, detection without an app.
import { mkdir, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ControlBackend } from '../control/backend.ts';
import { urlOf } from '../process-specs.ts';
import type { OperationsContext } from './context.ts';

type PlatformOperations = Pick<ControlBackend, 'status' | 'doctor' | 'prepareDetect' | 'detect'>;

export function platformOperations(context: OperationsContext): PlatformOperations {
  const workDirectory = join(context.paths.data, 'uploads');
  return {
    async status() {
      const { installation, platform, repository } = context;
      const components = await platform.components();
      const troubled = components.filter((component) => component.state !== 'running');
      return {
        version: platform.version,
        installation: installation.name,
        healthy: troubled.length === 0,
        components,
        urlTemplate: urlOf(context, `NAME.${installation.suffix}`),
        memory: await platform.memory(),
        apps: (await repository.apps()).length,
        warnings: troubled.map(({ name, state, detail }) => `${name} is ${state}: ${detail}`),
      };
    },
    async doctor() {
      return await context.platform.examineMachine();
    },
    async prepareDetect() {
      await mkdir(workDirectory, { recursive: true, mode: 0o700 });
      return join(workDirectory, `${randomUUID()}.tar`);
    },
    async detect(archivePath, signal) {
      const directory = join(workDirectory, `detect-${randomUUID()}`);
      try {
        return await context.builder.detect({ archivePath, workDirectory: directory, signal });
      } finally {
        await rm(directory, { recursive: true, force: true });
      }
    },
  };
}
