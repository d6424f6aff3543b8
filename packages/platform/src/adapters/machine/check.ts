// One line of `tandem doctor`: what was looked at, how it stands, and the command that mends it.
import type { DoctorCheck } from '@tandem/protocol';
import type * as v from 'valibot';

export type Check = v.InferOutput<typeof DoctorCheck>;

export const ok = (name: string, detail: string): Check => ({ name, state: 'ok', detail });

/** Tandem runs, with less than it could have. */
export const warning = (name: string, detail: string, fix: string): Check => ({
  name,
  state: 'warning',
  detail,
  fix,
});

/** Tandem cannot run apps like this. */
export const failed = (name: string, detail: string, fix: string): Check => ({
  name,
  state: 'failed',
  detail,
  fix,
});
