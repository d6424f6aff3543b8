// The identity of an installation, in its data directory. Written before anything else is made under
// its name; nothing but its settings changes later. Every daemon reads it at its start.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { TandemError } from '@tandem/protocol';
import type { Installation } from '../../domain/installation.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import type { Paths } from '../../ports/paths.ts';

const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

const InstallationSchema = v.object({
  schemaVersion: v.literal(1),
  name: v.string(),
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{6}$/)),
  slot: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255)),
  ipv6Prefix: v.string(),
  nodeName: v.string(),
  suffix: v.string(),
  httpPort: Port,
  httpsPort: v.exactOptional(Port),
  sandbox: v.exactOptional(v.picklist(['crun', 'process'])),
  certificates: v.exactOptional(
    v.object({
      directoryUrl: v.exactOptional(v.string()),
      extraCaFile: v.exactOptional(v.string()),
      contactEmail: v.exactOptional(v.string()),
      dnsHook: v.exactOptional(v.array(v.string())),
      publicAddresses: v.exactOptional(v.array(v.string())),
      dnsServers: v.exactOptional(v.array(v.string())),
    }),
  ),
});

export const installationFile = (paths: Paths): string => join(paths.data, 'installation.json');

/** Undefined when there is no such installation; throws when its file cannot be understood. */
export async function findInstallation(paths: Paths): Promise<Installation | undefined> {
  const path = installationFile(paths);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), InstallationSchema), text);
  if (parsed.success) return parsed.output;
  throw new TandemError('MACHINE_UNFIT', `${path} is damaged: ${parsed.issues[0].message}`, {
    where: path,
    hint: 'Put back a copy of the file, or start anew: script/down --purge',
  });
}

export async function readInstallation(paths: Paths): Promise<Installation> {
  const installation = await findInstallation(paths);
  if (installation) return installation;
  throw new TandemError('NOT_FOUND', `There is no installation in ${paths.data}.`, {
    hint: 'script/up',
  });
}

export async function writeInstallation(paths: Paths, installation: Installation): Promise<void> {
  const json = JSON.stringify(installation, undefined, 2);
  await writeFileAtomic(installationFile(paths), `${json}\n`, 0o644);
}
