// node:http without its price: an `import` of it evaluates every export, also the lazy WebSocket
// ones, and with them all of undici: 14 MB and 40 ms that nobody here uses.
import type * as http from 'node:http';

export const { Agent, STATUS_CODES, createServer, request }: typeof http =
  process.getBuiltinModule('node:http');
