// Gets the place of the static server ready and gives the command line that runs it: in the
// foreground, without privileges, on a socket that only the balancer's uid can reach.
import { chmod, chown, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Installation, PLATFORM_UID, platformUid } from '../../domain/installation.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import {
  keptStatic,
  layerMounts,
  type Paths,
  staticSocket,
  volumeMounts,
} from '../../ports/paths.ts';
import { nginxConfig } from './nginx-config.ts';

export interface NginxCommand {
  readonly configFile: string;
  readonly socket: string;
  readonly work: string;
  readonly uid: number;
}

const CLEAN_AND_RUN = 'rm -f -- "$1"; pkill -KILL -U "$2" -x nginx; shift 2; exec "$@"';

/** Idempotent; returns the argv for the supervisor. Needs root. */
export async function prepareStaticServer(
  installation: Pick<Installation, 'slot'>,
  paths: Paths,
): Promise<readonly [string, ...string[]]> {
  const uid = platformUid(installation.slot, PLATFORM_UID.staticServer);
  const balancerGid = platformUid(installation.slot, PLATFORM_UID.balancer);
  const socket = staticSocket(paths);
  const work = dirname(socket);
  const configFile = join(paths.run, 'static-server.conf');
  const places = {
    socket,
    work,
    layers: layerMounts(paths),
    kept: keptStatic(paths),
    volumes: volumeMounts(paths),
  };
  await mkdir(places.kept, { recursive: true, mode: 0o711 });
  await mkdir(work, { recursive: true });
  // nginx gives its sockets mode 0666; the directory says who gets as far.
  await chown(work, uid, balancerGid);
  await chmod(work, 0o710);
  await writeFileAtomic(configFile, nginxConfig(places), 0o644);
  return nginxCommand({ configFile, socket, work, uid });
}

/**
 * A killed nginx leaves its socket file, over which its successor refuses to bind, and its worker;
 * both go first. Nothing else runs under this uid. The script is constant, its arguments vary.
 */
export function nginxCommand(command: NginxCommand): readonly [string, ...string[]] {
  const { configFile, socket, work, uid } = command;
  return [
    ...(['/bin/sh', '-c', CLEAN_AND_RUN, 'static-server', socket, String(uid)] as const),
    ...['s6-applyuidgid', '-u', String(uid), '-g', String(uid), '-G', ''],
    // -e: before it has read its configuration nginx would log to /var/log.
    ...['nginx', '-e', 'stderr', '-p', work, '-c', configFile],
  ];
}
