// Where a process listens, read from the kernel's tables of its network namespace: tells a server
// bound to localhost, or to another port, from one that is slow to start.
import { readFile } from 'node:fs/promises';

export interface ListeningPort {
  readonly port: number;
  readonly localhostOnly: boolean;
}

const STATE_LISTEN = '0A';
const LOOPBACK_V4_SUFFIX = '7F';
const LOOPBACK_V6 = '00000000000000000000000001000000';
const MAPPED_LOOPBACK_V4 = /^0{16}F{4}0{4}[0-9A-F]{6}7F$/;

/** TCP sockets in state LISTEN (proc_net_tcp; addresses are in host byte order). */
export async function listeningPorts(pid: number): Promise<ListeningPort[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'utf8').catch(() => '')),
  );
  return tables.flatMap(parseTable);
}

export function parseTable(table: string): ListeningPort[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === STATE_LISTEN)
    .map((fields) => {
      const [address = '', port = '0'] = (fields[1] ?? '').split(':');
      return { port: Number.parseInt(port, 16), localhostOnly: isLoopback(address) };
    });
}

function isLoopback(address: string): boolean {
  if (address.length === 8) return address.endsWith(LOOPBACK_V4_SUFFIX);
  return address === LOOPBACK_V6 || MAPPED_LOOPBACK_V4.test(address);
}
