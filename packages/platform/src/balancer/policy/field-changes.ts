// Headers that a route sets, adds and removes, put together once so that a request costs one pass over
// its field lines, or none.
import type { HeaderChanges } from '../../domain/route-policy.ts';
import type { FieldChange } from '../answer-changes.ts';
import { withoutFields } from '../http1/field-text.ts';

/** Undefined when nothing is to change. `removed`: names in lower case, beyond those of `changes`. */
export function fieldChange(
  { set = {}, add = {}, remove = [] }: HeaderChanges,
  removed: readonly string[] = [],
): FieldChange | undefined {
  const dropped = new Set([...Object.keys(set), ...remove, ...removed].map(lower));
  const added = [...Object.entries(set), ...Object.entries(add)]
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
  if (dropped.size === 0) return added === '' ? undefined : (fields) => fields + added;
  return (fields) => withoutFields(fields, (name) => dropped.has(name)) + added;
}

const lower = (name: string): string => name.toLowerCase();
