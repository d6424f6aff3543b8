import { DJANGO_TRAPS as LAYOUTS } from './django.ts';
import { SITE_TRAPS, STATIC_TRAPS } from './front-ends.ts';
import { OTHER_TRAPS as OTHERS } from './others.ts';
import type { Trap } from './trap.ts';

export const DJANGO_TRAPS: readonly Trap[] = [...LAYOUTS, ...STATIC_TRAPS];
export const OTHER_TRAPS: readonly Trap[] = [...OTHERS, ...SITE_TRAPS];
export type { Trap };
