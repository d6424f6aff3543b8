// Config: what the user set, and what the platform hands out. A change makes a release, unless it is
// staged for the next deploy.
import { TandemError, type ConfigChange, type ConfigView } from '@tandem/protocol';
import type { ControlBackend } from '../control/backend.ts';
import { openConfig, openSecretKey, sealConfigValue } from '../app-secrets.ts';
import { KEYS } from '../documents/repository.ts';
import type { AppDocument, ConfigDocument } from '../documents/schemas.ts';
import { platformValues, RESERVED_KEYS } from '../environment.ts';
import { attachedServices, environmentOf } from '../services.ts';
import type { OperationsContext } from './context.ts';

const KEY_PATTERN = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const VALUE_BYTES_MAX = 32 * 1024;
const KEYS_MAX = 200;

type ConfigOperations = Pick<ControlBackend, 'getConfig' | 'changeConfig'>;

export function configOperations(context: OperationsContext): ConfigOperations {
  const { repository, deploys } = context;
  return {
    async getConfig(name) {
      return await viewConfig(context, await repository.appByName(name));
    },
    async changeConfig(name, change) {
      const app = await repository.appByName(name);
      assertChange(change);
      const rolls = !change.stage && app.currentRelease !== undefined;
      if (rolls) await deploys.assertIdle(app);
      const config = await applyChange(context, app.id, change);
      if (!rolls || app.currentRelease === undefined) return { revision: config.revision };
      const deploy = await deploys.begin(app.id, {
        kind: 'config',
        note: describeChange(change),
        makesRelease: true,
        fromRelease: app.currentRelease,
      });
      return { revision: config.revision, deploy: deploy.number };
    },
  };
}

async function viewConfig(context: OperationsContext, app: AppDocument): Promise<ConfigView> {
  const config = await context.repository.config(app.id);
  const entries = config?.value.entries ?? {};
  const values = openConfig(context.secrets, app.id, entries);
  const secretKey = openSecretKey(context.secrets, app.id, app.secretKey);
  const handedOut = {
    ...platformValues({ secretKey }),
    ...environmentOf(await attachedServices(context, app.id)),
  };
  return {
    revision: config?.value.revision ?? 0,
    staged: config !== undefined && config.value.revision !== config.value.releasedRevision,
    entries: [
      ...Object.entries(entries).map(([key, entry]) => ({
        key,
        secret: entry.secret,
        source: 'app' as const,
        ...(entry.secret ? {} : { value: values[key] ?? '' }),
      })),
      ...Object.keys(handedOut)
        .filter((key) => !(key in entries))
        .map((key) => ({ key, secret: true, source: 'platform' as const })),
    ].toSorted((a, b) => a.key.localeCompare(b.key)),
  };
}

function assertChange(change: ConfigChange): void {
  for (const key of [...Object.keys(change.set), ...change.unset]) {
    if (!KEY_PATTERN.test(key)) {
      throw new TandemError('CONFIG_KEY_INVALID', `"${key}" is not a name for a variable`, {
        hint: 'use letters, digits and _, not starting with a digit',
      });
    }
    if (RESERVED_KEYS.has(key) || key.startsWith('TANDEM_')) {
      throw new TandemError('CONFIG_KEY_INVALID', `${key} is set by Tandem and cannot be changed`);
    }
  }
  for (const [key, value] of Object.entries(change.set)) {
    if (Buffer.byteLength(value) > VALUE_BYTES_MAX || value.includes('\0')) {
      throw new TandemError(
        'CONFIG_KEY_INVALID',
        `the value of ${key} is over 32 KiB or has a NUL`,
      );
    }
  }
}

async function applyChange(
  context: OperationsContext,
  appId: number,
  change: ConfigChange,
): Promise<ConfigDocument> {
  const key = KEYS.config(appId);
  return await context.repository.update([key], (read) => {
    const before = (read.get(key) as ConfigDocument | undefined) ?? {
      schemaVersion: 1,
      revision: 0,
      releasedRevision: 0,
      entries: {},
    };
    const entries = { ...before.entries };
    for (const [name, value] of Object.entries(change.set)) {
      // A secret stays one, also when it is set again without --secret.
      const secret = change.secret || (entries[name]?.secret ?? false);
      entries[name] = { value: sealConfigValue(context.secrets, appId, name, value), secret };
    }
    for (const name of change.unset) delete entries[name];
    if (Object.keys(entries).length > KEYS_MAX) {
      throw new TandemError('CONFIG_KEY_INVALID', `an app has at most ${KEYS_MAX} config keys`);
    }
    const value: ConfigDocument = { ...before, entries, revision: before.revision + 1 };
    return { writes: [{ kind: 'put', key, value }], result: value };
  });
}

function describeChange(change: ConfigChange): string {
  const set = Object.keys(change.set).map((key) => `set ${key}`);
  const unset = change.unset.map((key) => `unset ${key}`);
  return `config ${[...set, ...unset].join(', ')}`.slice(0, 200);
}
