// Run as a process of its own: writes numbered lines to a log and rotates it hundreds of times, as an
// agent and conmon do together; prints how many lines it wrote.
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { formatLogLines } from '../../packages/platform/src/lib/log-line.ts';

const ROTATIONS = 200;
const path = process.argv[2] ?? '';
const cell = new Int32Array(new SharedArrayBuffer(4));
const sleep = (ms: number): unknown => Atomics.wait(cell, 0, 0, ms);

let file = openSync(path, 'a');
let next = 0;
const write = (lines: number): void => {
  for (const end = next + lines; next < end; next += 1) {
    writeSync(file, formatLogLines(Date.now(), 'stdout', String(next)));
  }
};
for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
  write(40);
  renameSync(path, `${path}.${rotation}`);
  write(40);
  sleep(rotation % 3);
  const before = file;
  file = openSync(path, 'a');
  closeSync(before);
  write(20);
  if (rotation % 5 === 0) sleep(7);
}
process.stdout.write(`${next}\n`);
