// conmon makes the log file, but not the directory it lies in.
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LifecycleHook } from './hook.ts';

export const prepareLog: LifecycleHook = {
  name: 'prepare-log',
  async up({ spec }) {
    await mkdir(dirname(spec.logPath), { recursive: true, mode: 0o700 });
  },
};
