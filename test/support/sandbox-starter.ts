// An agent that does one thing: starts a sandbox, prints its record, and waits to be killed.
// Argument: JSON of { installation, paths, spec }.
import { createCrunSandbox } from '../../packages/platform/src/adapters/crun/crun-sandbox.ts';
import { createInstanceNetwork } from '../../packages/platform/src/adapters/instance-network/instance-network.ts';
import { createScratchDisks } from '../../packages/platform/src/adapters/scratch-disk/scratch-disks.ts';
import { createSquashfsImageStore } from '../../packages/platform/src/adapters/squashfs/squashfs-image-store.ts';
import type { Installation } from '../../packages/platform/src/domain/installation.ts';
import {
  layerFiles,
  layerMounts,
  scratchFiles,
  type Paths,
} from '../../packages/platform/src/ports/paths.ts';
import type { SandboxSpec } from '../../packages/platform/src/ports/sandbox.ts';

interface Work {
  readonly installation: Installation;
  readonly paths: Paths;
  readonly spec: SandboxSpec;
}

const { installation, paths, spec } = JSON.parse(process.argv[2] ?? '') as Work;
const sandbox = await createCrunSandbox({
  installation,
  paths,
  imageStore: createSquashfsImageStore({ files: layerFiles(paths), mounts: layerMounts(paths) }),
  scratch: createScratchDisks({ directory: scratchFiles(paths) }),
  network: createInstanceNetwork({ installation }),
  caBundlePath: '/etc/ssl/certs/ca-certificates.crt',
});
console.log('starting');
const started = await sandbox.start(spec);
console.log(JSON.stringify(started.record));
setInterval(() => undefined, 60_000);
