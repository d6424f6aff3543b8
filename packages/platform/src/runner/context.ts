// What every part of the runner needs, injected by the composition root.
import type { AppVolumes } from '../ports/app-volumes.ts';
import type { Clock } from '../ports/clock.ts';
import type { ImageStore } from '../ports/image-store.ts';
import type { Paths } from '../ports/paths.ts';
import type { Sandbox } from '../ports/sandbox.ts';

export interface RunnerContext {
  readonly sandbox: Sandbox;
  readonly imageStore: ImageStore;
  readonly volumes: AppVolumes;
  readonly clock: Clock;
  readonly paths: Paths;
  /** A line of our own beside the process's output: "web.1 ended with 1, retry 2/5 in 2 s". */
  readonly note: (logPath: string, text: string) => void;
}
