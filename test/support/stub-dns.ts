// A DNS server with the records a test gives it: A, AAAA and TXT over UDP. A name without any record
// does not exist.
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';

type Kind = 'A' | 'AAAA' | 'TXT';

const TYPES: Readonly<Record<number, Kind>> = { 1: 'A', 16: 'TXT', 28: 'AAAA' };
const HEADER_BYTES = 12;
const ANSWER_FLAGS = 0x8580;
const NO_SUCH_NAME = 3;
const SERVER_FAILURE = 2;

export class StubDns {
  readonly #socket: Socket;
  readonly #records = new Map<string, Map<Kind, Set<string>>>();
  /** Names that were asked for, lower case. */
  readonly asked: string[] = [];
  /** Lines of `NAME VALUE`: TXT records that other processes write. */
  txtFile: string | undefined;
  /** Answers that it cannot say. */
  isBroken = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (query, peer) => this.#answer(query, peer));
  }

  static async start(): Promise<StubDns> {
    const socket = createSocket('udp4');
    const dns = new StubDns(socket);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return dns;
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  add(name: string, kind: Kind, value: string): void {
    const kinds = this.#records.get(name) ?? new Map<Kind, Set<string>>();
    this.#records.set(name, kinds.set(kind, (kinds.get(kind) ?? new Set()).add(value)));
  }

  delete(name: string, kind: Kind, value: string): void {
    this.#records.get(name)?.get(kind)?.delete(value);
  }

  values(name: string, kind: Kind): string[] {
    const own = [...(this.#records.get(name)?.get(kind) ?? [])];
    return kind === 'TXT' ? [...own, ...this.#written(name)] : own;
  }

  async stop(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #written(name: string): string[] {
    if (this.txtFile === undefined || !existsSync(this.txtFile)) return [];
    const lines = readFileSync(this.txtFile, 'utf8').split('\n');
    return lines.flatMap((line) => (line.startsWith(`${name} `) ? [line.split(' ')[1] ?? ''] : []));
  }

  #answer(query: Buffer, peer: RemoteInfo): void {
    const { name, end } = readName(query);
    const kind = TYPES[query.readUInt16BE(end)];
    this.asked.push(name);
    const data = kind ? this.values(name, kind).map((value) => encode(kind, value)) : [];
    const known = this.#records.has(name) || data.length > 0;
    const header = Buffer.alloc(HEADER_BYTES);
    query.copy(header, 0, 0, 2);
    const status = this.isBroken ? SERVER_FAILURE : known ? 0 : NO_SUCH_NAME;
    header.writeUInt16BE(ANSWER_FLAGS | status, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(this.isBroken ? 0 : data.length, 6);
    const question = query.subarray(HEADER_BYTES, end + 4);
    const answers = this.isBroken ? [] : data.map((one) => record(query.readUInt16BE(end), one));
    this.#socket.send(Buffer.concat([header, question, ...answers]), peer.port, peer.address);
  }
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}

/** For the name of the question, which stands right behind the header. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc000 | HEADER_BYTES, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function encode(kind: Kind, value: string): Buffer {
  if (kind === 'TXT') return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  if (kind === 'A') return Buffer.from(value.split('.').map(Number));
  const [before = '', after = ''] = value.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [head, tail] = [groups(before), groups(after)];
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  const all = [...head, ...zeros, ...tail].map((group) => parseInt(group, 16));
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
}
