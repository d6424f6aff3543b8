// One daemon as an s6 service directory (servicedir(7)): the files, not yet on disk.
import { shellQuote } from '../../lib/shell-quote.ts';
import type { HeldSocket, Service } from './service.ts';

export interface ServiceFile {
  readonly path: string;
  readonly content: string;
  readonly executable: boolean;
}

export interface ServiceDirectoryContext {
  /** Unix socket of s6-fdholderd. */
  readonly holderSocket: string;
  /** Directory of this service's log. */
  readonly logDirectory: string;
}

const LOG = { fileBytesMax: 1_000_000, filesMax: 10 };

/** Waits between restarts; a service that ran for `stableAfterS` begins again with the first. */
const BACKOFF = { delaysS: [0, 1, 2, 4, 8], stableAfterS: 60 };

/** In the service directory: how often it died in a row. */
export const CRASHES_FILE = 'crashes';

/** Of the second socket, less one. */
const FIRST_FD = 2;

/** Longest run of the finish script, with a margin. */
const FINISH_TIMEOUT_MS = 15_000;

export function serviceFiles(service: Service, context: ServiceDirectoryContext): ServiceFile[] {
  return [
    script('run', runScript(service, context)),
    script('finish', finishScript()),
    script('log/run', logScript(context.logDirectory)),
    plain('down-signal', service.stop.signal),
    plain('timeout-kill', String(service.stop.graceMs)),
    plain('timeout-finish', String(FINISH_TIMEOUT_MS)),
  ];
}

function runScript(service: Service, context: ServiceDirectoryContext): string[] {
  return [
    'exec 2>&1',
    'umask 022',
    'date +%s >started',
    // Sockets are files: as many as the machine lets us have.
    'ulimit -n "$(ulimit -Hn)" || :',
    ...Object.entries(service.env ?? {}).map(([key, value]) => `export ${quoteAssign(key, value)}`),
    ...(service.sockets ?? []).map((socket) => socketLine(socket, context)),
    `exec ${shellQuote([...socketsPrefix(service, context), ...userPrefix(service), ...service.argv])}`,
  ];
}

/** Only when the holder was restarted and lost it; SO_REUSEPORT lets both sockets serve meanwhile. */
function socketLine({ bind, name }: HeldSocket, { holderSocket }: ServiceDirectoryContext): string {
  const list = shellQuote(['s6-fdholder-list', holderSocket]);
  return `${list} | grep -qx ${shellQuote([name])} || ${shellQuote(bind)}`;
}

/** Each comes as standard input; all but the first are moved on before the next one comes. */
function socketsPrefix(
  { sockets = [] }: Service,
  { holderSocket }: ServiceDirectoryContext,
): string[] {
  return sockets
    .flatMap(({ name }, index) => [
      [
        ...['s6-fdholder-retrieve', holderSocket, name],
        ...(index === 0 ? [] : ['/bin/sh', '-c', `exec "$@" ${FIRST_FD + index}<&0`, 'sh']),
      ],
    ])
    .toReversed()
    .flat();
}

function userPrefix({ user }: Service): string[] {
  if (!user) return [];
  return ['s6-applyuidgid', '-u', String(user.uid), '-g', String(user.gid), '-G', ''];
}

/** Arguments: exit code (256 when killed), signal. A stop that we asked for costs no wait. */
function finishScript(): string[] {
  const { delaysS, stableAfterS } = BACKOFF;
  return [
    `if [ "$1" = 0 ] || [ "$1 $2" = "256 15" ]; then rm -f ${CRASHES_FILE}; exit 0; fi`,
    `ran_s=$(($(date +%s) - $(cat started)))`,
    `crashes=$(cat ${CRASHES_FILE} 2>/dev/null || echo 0)`,
    `[ "$ran_s" -lt ${stableAfterS} ] || crashes=0`,
    `echo $((crashes + 1)) >${CRASHES_FILE}`,
    `set -- ${delaysS.join(' ')}`,
    `[ "$crashes" -lt $# ] || crashes=$(($# - 1))`,
    'shift "$crashes"',
    'exec sleep "$1"',
  ];
}

/** Times in ISO 8601, files rotated by size. */
function logScript(directory: string): string[] {
  const { fileBytesMax, filesMax } = LOG;
  return [`exec ${shellQuote(['s6-log', 'T', `n${filesMax}`, `s${fileBytesMax}`, directory])}`];
}

function quoteAssign(key: string, value: string): string {
  return `${key}=${shellQuote([value])}`;
}

function script(path: string, lines: readonly string[]): ServiceFile {
  return { path, content: ['#!/bin/sh', ...lines, ''].join('\n'), executable: true };
}

function plain(path: string, line: string): ServiceFile {
  return { path, content: `${line}\n`, executable: false };
}
