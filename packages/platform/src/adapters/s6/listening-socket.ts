// A listening socket on all addresses of both families, made by root and kept by the holder.
import { fileURLToPath } from 'node:url';
import type { HeldSocket } from './service.ts';
import { holderSocket } from './socket-holder.ts';

// Not compiled: the same file serves sources and build output, which lie at equal depth.
const PROGRAM = fileURLToPath(new URL('../../../src/adapters/s6/hold-socket.py', import.meta.url));

export function listeningSocket(scanDirectory: string, name: string, port: number): HeldSocket {
  const holder = holderSocket(scanDirectory);
  return { name, port, bind: ['/usr/bin/python3', PROGRAM, holder, name, String(port)] };
}
