// Turns what a client sent into typed values, or into REQUEST_INVALID that names the field.
import { AppName, TandemError } from '@tandem/protocol';
import * as v from 'valibot';

/** `what` stands before the path of the field: `body.processes.web.count`. */
export function check<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  what: string,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new TandemError('REQUEST_INVALID', `${issue.message}.`, {
    where: path === null ? what : `${what}.${path}`,
  });
}

export function checkAppName(name: string): string {
  if (v.safeParse(AppName, name).success) return name;
  throw new TandemError('APP_NAME_INVALID', `"${name}" cannot be the name of an app.`, {
    hint:
      'Use 1 to 40 of a-z, 0-9 and single hyphens, starting and ending with a letter or digit, ' +
      'not digits alone: it becomes a part of the hostname.',
  });
}

/** Whole numbers from `min`, as they stand in paths and queries. */
export function checkWhole(text: string, what: string, min = 0): number {
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min) return value;
  throw new TandemError('REQUEST_INVALID', `Expected a whole number from ${min}, got "${text}".`, {
    where: what,
  });
}

export function checkFlag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  if (value === null || value === 'false') return false;
  if (value === 'true' || value === '') return true;
  throw new TandemError('REQUEST_INVALID', `Expected true or false, got "${value}".`, {
    where: `query.${name}`,
  });
}
