// `open-loop.ts OPTIONS-AS-JSON`: requests at a fixed rate, whether or not earlier ones were answered,
// so that a stall is seen by all the requests it delays. Prints percentiles.
//
// A request counts from the moment the generator found it due: what it waits for a free connection is
// the proxy's, that the generator itself woke late is not.
import { connect, type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';

export interface OpenLoopOptions {
  readonly port: number;
  readonly host: string;
  readonly connections: number;
  readonly perSecond: number;
  /** Before anything counts. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface OpenLoopReport {
  readonly requests: number;
  /** Found due but without an answer at the end; counted with the time they had waited by then. */
  readonly unanswered: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const WAITING_MAX = 200_000;
const DRAIN_MS = 200;

const options = JSON.parse(process.argv[2] ?? '{}') as OpenLoopOptions;
const request = Buffer.from(`GET / HTTP/1.1\r\nHost: ${options.host}\r\n\r\n`);
const idle: Connection[] = [];
const busy = new Set<Connection>();
/** When each waiting request was found due; a queue that begins at `firstWaiting`. */
let waiting: number[] = [];
let firstWaiting = 0;
let latencies: number[] = [];

interface Connection {
  readonly socket: Socket;
  dueMs: number;
  missingBytes: number;
}

for (let opened = 0; opened < options.connections; opened += 1) idle.push(await open());
await drive(options.warmUpSeconds);
[latencies, waiting, firstWaiting] = [[], waiting.slice(firstWaiting), 0];
const beganMs = performance.now();
await drive(options.seconds);
await delay(DRAIN_MS);
report();
process.exit(0);

/** Begins what is due, at each wake-up: when an answer comes, and every millisecond at the latest. */
async function drive(seconds: number): Promise<void> {
  const startMs = performance.now();
  const total = Math.round(seconds * options.perSecond);
  for (let begun = 0; begun < total;) {
    const nowMs = performance.now();
    const due = Math.min(total, Math.floor(((nowMs - startMs) / 1_000) * options.perSecond));
    for (; begun < due; begun += 1) begin(nowMs);
    if (waiting.length - firstWaiting > WAITING_MAX) throw new Error('too many requests wait');
    // Turns of the loop without a sleep would take the core from the backend.
    await (due < total && idle.length === 0 ? turn() : delay(1));
  }
}

function begin(dueMs: number): void {
  const connection = idle.pop();
  if (connection) send(connection, dueMs);
  else waiting.push(dueMs);
}

function send(connection: Connection, dueMs: number): void {
  connection.dueMs = dueMs;
  connection.missingBytes = -1;
  busy.add(connection);
  connection.socket.write(request);
}

async function open(): Promise<Connection> {
  const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
  const connection: Connection = { socket, dueMs: 0, missingBytes: -1 };
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.on('data', (chunk: Buffer) => receive(connection, chunk));
  socket.on('close', () => {
    throw new Error('a connection was closed');
  });
  return connection;
}

function receive(connection: Connection, chunk: Buffer): void {
  if (connection.missingBytes === -1) connection.missingBytes = answerBytes(chunk);
  connection.missingBytes -= chunk.length;
  if (connection.missingBytes > 0) return;
  latencies.push(performance.now() - connection.dueMs);
  busy.delete(connection);
  const next = waiting[firstWaiting];
  if (next === undefined) {
    idle.push(connection);
    return;
  }
  firstWaiting += 1;
  send(connection, next);
}

/** Heads of small answers come whole from every proxy here; one that does not is an error. */
function answerBytes(chunk: Buffer): number {
  const headEnd = chunk.indexOf('\r\n\r\n');
  const head = chunk.toString('latin1', 0, headEnd);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (headEnd === -1 || length === undefined || !head.startsWith('HTTP/1.1 200 ')) {
    throw new Error(`not the answer: ${chunk.toString('latin1', 0, 200)}`);
  }
  return headEnd + 4 + Number(length);
}

function report(): void {
  const nowMs = performance.now();
  const open = [...busy].map(({ dueMs }) => dueMs).concat(waiting.slice(firstWaiting));
  const all = latencies.concat(open.map((dueMs) => nowMs - dueMs)).sort((a, b) => a - b);
  const at = (share: number): number => all[Math.ceil(all.length * share) - 1] ?? NaN;
  const seconds = (nowMs - beganMs - DRAIN_MS) / 1_000;
  const counts = { requests: latencies.length, unanswered: open.length, seconds };
  const told: OpenLoopReport = { ...counts, p50Ms: at(0.5), p99Ms: at(0.99) };
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
