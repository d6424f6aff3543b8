// A new installation: a slot of the machine and random names that nothing else has.
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { TandemError } from '@tandem/protocol';
import type { Installation } from '../../domain/installation.ts';
import { pathsOf, type Paths } from '../../ports/paths.ts';
import { findInstallation, writeInstallation } from './installation-file.ts';
import type { SlotRegistry } from './slots.ts';

export interface InstallationRequest {
  readonly name: string;
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly nodeName: string;
  readonly suffix: string;
  readonly httpPort: number;
  /** Absent or 0: none. */
  readonly httpsPort?: number;
  readonly sandbox?: 'crun' | 'process';
}

/**
 * The existing installation, or a new one. The caller holds the lock of this name. A crash between
 * claim and file leaves a slot that the next call of the same name takes over.
 */
export async function findOrCreateInstallation(
  request: InstallationRequest,
  slots: SlotRegistry,
): Promise<{ installation: Installation; paths: Paths; created: boolean }> {
  checkName(request.name);
  const paths = pathsOf(request.name, { data: request.dataRoot, run: request.runRoot });
  const held = await slots.find(request.name);
  if (held && (held.dataRoot !== request.dataRoot || held.runRoot !== request.runRoot)) {
    throw new TandemError('USAGE', `Installation ${request.name} lives in ${held.dataRoot}.`, {
      hint: `script/up --installation ${request.name} --data-root ${held.dataRoot} --run-root ${held.runRoot}`,
    });
  }
  const existing = await findInstallation(paths);
  if (existing && held) return { installation: existing, paths, created: false };

  const { name, dataRoot, runRoot } = request;
  const slot = held?.slot ?? (await slots.claim({ name, dataRoot, runRoot }));
  await mkdir(paths.data, { recursive: true, mode: 0o711 });
  // Data that outlived its slot (a restored disk) keep their names; only the slot is new.
  const installation = existing ? { ...existing, slot } : newInstallation(request, slot);
  await writeInstallation(paths, installation);
  return { installation, paths, created: true };
}

function newInstallation(request: InstallationRequest, slot: number): Installation {
  return {
    schemaVersion: 1,
    name: request.name,
    id: randomBytes(3).toString('hex'),
    slot,
    ipv6Prefix: randomUlaPrefix(randomBytes(7)),
    nodeName: request.nodeName,
    suffix: request.suffix,
    httpPort: request.httpPort,
    ...(request.httpsPort ? { httpsPort: request.httpsPort } : {}),
    ...(request.sandbox === undefined ? {} : { sandbox: request.sandbox }),
  };
}

/** RFC 4193: `fd`, 40 random bits of global id, 16 of subnet. */
export function randomUlaPrefix(random: Uint8Array): string {
  const hex = `fd${Buffer.from(random.subarray(0, 7)).toString('hex')}`;
  return [0, 4, 8, 12].map((at) => hex.slice(at, at + 4)).join(':');
}

function checkName(name: string): void {
  if (/^[a-z][a-z0-9-]{0,30}$/.test(name)) return;
  throw new TandemError('USAGE', `"${name}" cannot name an installation.`, {
    hint: 'Up to 31 small letters, digits and dashes, beginning with a letter.',
  });
}
