// The Sandbox contract on both adapters, with real processes.
import { describeSandboxContract } from '../../packages/platform/src/ports/sandbox.contract.ts';
import { createProcessFixture, createSandboxFixture } from '../support/sandbox-fixture.ts';

describeSandboxContract(
  {
    name: 'crun',
    rootFileSystem: true,
    networkNamespace: true,
    ownUser: true,
    memoryLimit: true,
    cpuLimit: true,
    pidsLimit: true,
    diskLimit: true,
    seccomp: true,
    survivesAgent: true,
  },
  createSandboxFixture,
);

describeSandboxContract(
  {
    name: 'process',
    rootFileSystem: false,
    networkNamespace: false,
    ownUser: true,
    memoryLimit: false,
    cpuLimit: false,
    pidsLimit: false,
    diskLimit: false,
    seccomp: false,
    survivesAgent: true,
  },
  createProcessFixture,
);
