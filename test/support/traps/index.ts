export { DJANGO_TRAPS } from './django.ts';
export { OTHER_TRAPS } from './others.ts';
export type { Trap } from './trap.ts';
