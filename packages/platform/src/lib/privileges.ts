// Giving up root for good: groups first, because afterwards nobody may change them.
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
}

export function dropPrivileges({ uid, gid }: ProcessUser): void {
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}
