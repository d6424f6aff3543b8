// `npm run bench:detect`: how long the part of detection takes that needs no environment, over
// generated projects of 2,000 files on disk. Median of several runs, each with a tree of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { detect } from '../../packages/platform/src/builder/detect/detect.ts';
import { diskTree } from '../../packages/platform/src/builder/detect/source-tree.ts';
import {
  djangoProject,
  flaskProject,
  plainProject,
  writeProject,
  type Project,
} from './project.ts';

const FILES = 2_000;
const RUNS = 9;
const CONTEXT = { pythonVersions: ['3.11.2', '3.12.13', '3.13.1'], config: {} };

for (const project of [djangoProject(FILES), flaskProject(FILES), plainProject(FILES)]) {
  const { first, median } = measure(project);
  console.log(
    `${project.name.padEnd(8)} ${FILES} files  median ${median.toFixed(0)} ms of ${RUNS} runs, ` +
      `the first ${first.toFixed(0)} ms`,
  );
}

function measure(project: Project): { first: number; median: number } {
  const directory = mkdtempSync(join(tmpdir(), 'bench-detect-'));
  try {
    writeProject(project, directory);
    const times = Array.from({ length: RUNS }, () => once(directory));
    const sorted = times.toSorted((one, other) => one - other);
    return { first: times[0] ?? 0, median: sorted[Math.floor(RUNS / 2)] ?? 0 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function once(directory: string): number {
  const beganMs = performance.now();
  detect(diskTree(directory), CONTEXT);
  return performance.now() - beganMs;
}
