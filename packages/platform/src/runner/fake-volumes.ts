// Test double at the AppVolumes port: remembers what was asked for.
import type { AppVolumes, VolumeRequest } from '../ports/app-volumes.ts';

export class FakeVolumes implements AppVolumes {
  readonly ensured: VolumeRequest[] = [];
  readonly removed: number[] = [];
  failNext: Error | undefined;

  async ensure(request: VolumeRequest) {
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure) throw failure;
    this.ensured.push(request);
  }

  async use() {
    return undefined;
  }

  async remove(appId: number) {
    this.removed.push(appId);
  }
}
