// An error as people read it: what, where, and the next command.
import type { TandemError } from '@tandem/protocol';
import { indented } from './layout.ts';

/** `consequence` follows the code: "v8 not released; v7 serves". */
export function formatFailure(error: TandemError, consequence?: string): string {
  const head = consequence === undefined ? error.code : `${error.code}. ${consequence}`;
  const parts: [string, string | undefined][] = [
    ['What', error.message],
    ['Where', error.where],
    ['Fix', error.hint],
    ['Log', error.log],
  ];
  return [
    indented('Failed', head),
    ...parts.flatMap(([label, text]) => (text === undefined ? [] : [indented(label, text, 2)])),
  ].join('\n');
}
