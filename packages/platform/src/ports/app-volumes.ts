// The volumes of apps on this node: one disk of fixed size per app, made at its first use.
import type { VolumePlan } from '../domain/volume.ts';
import type { LayerRef } from './image-store.ts';

export interface VolumeRequest {
  readonly appId: number;
  /** Owns the directories; the top is root's. */
  readonly uid: number;
  readonly plan: VolumePlan;
  /** Of the release; a directory that is new is filled from them. */
  readonly layers: readonly LayerRef[];
}

export interface VolumeUse {
  readonly sizeBytes: number;
  readonly usedBytes: number;
}

/** All methods may be called by several callers at once, and after a kill at any point. */
export interface AppVolumes {
  /**
   * Makes, grows and mounts it, and makes the directories it lacks. Never formats twice, never
   * shrinks. Throws DISK_FULL or VOLUME_FAILED.
   */
  ensure(request: VolumeRequest): Promise<void>;
  /** Undefined when it is not mounted. */
  use(appId: number): Promise<VolumeUse | undefined>;
  /** Idempotent. What still has files of it open keeps them until it ends. */
  remove(appId: number): Promise<void>;
}
