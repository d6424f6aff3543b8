// The head of an answer in the fields of HTTP/2: names in lower case, repeated ones joined where one
// line says the same (RFC 9110 section 5.3), nothing that is for one connection.
import { fieldPairs } from '../http1/field-text.ts';

/** Lines as of `fieldLinesOf`, then more of our own: name, value, name, value ... */
export function responseFields(
  status: number,
  lines: string,
  more: readonly string[] = [],
): string[] {
  const fields = [':status', String(status)];
  appendPairs(fields, lines);
  for (let index = 0; index + 1 < more.length; index += 2)
    append(fields, (more[index] ?? '').toLowerCase(), more[index + 1] ?? '');
  return fields;
}

/** As `sendTrailers` takes them. */
export function trailerFields(lines: string): Record<string, string> {
  const fields: string[] = [];
  appendPairs(fields, lines);
  const trailers: Record<string, string> = {};
  for (let index = 0; index + 1 < fields.length; index += 2)
    trailers[fields[index] ?? ''] = fields[index + 1] ?? '';
  return trailers;
}

function appendPairs(fields: string[], lines: string): void {
  for (const [name, value] of fieldPairs(lines)) append(fields, name.toLowerCase(), value);
}

function append(fields: string[], name: string, value: string): void {
  const at = name === 'set-cookie' ? -1 : indexOfName(fields, name);
  if (at < 0) fields.push(name, value);
  else fields[at + 1] += `, ${value}`;
}

function indexOfName(fields: readonly string[], name: string): number {
  for (let index = 0; index < fields.length; index += 2) if (fields[index] === name) return index;
  return -1;
}
