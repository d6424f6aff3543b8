// The Aptfile: one Debian package a line. What would bring packages from elsewhere is refused by
// name: they come from the archive of the stack, or releases could not be built again.
import { TandemError } from '@tandem/protocol';
import { parsePackageSpec, type PackageSpec } from './package-spec.ts';

export function parseAptfile(text: string, file: string): PackageSpec[] {
  const specs: PackageSpec[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(^|\s)#.*$/, '').trim();
    if (line === '') continue;
    const where = `${file}:${index + 1}`;
    refuseForeign(line, where);
    specs.push(parsePackageSpec(line, where, 'APTFILE_INVALID'));
  }
  return specs;
}

function refuseForeign(line: string, where: string): void {
  const what = line.startsWith(':repo:')
    ? 'adds a repository'
    : /^\w+:\/\//.test(line)
      ? 'names a package by its address'
      : undefined;
  if (what === undefined) return;
  throw new TandemError('APTFILE_INVALID', `${where}: this line ${what}.`, {
    where: `${where} ${line.slice(0, 120)}`,
    hint: 'packages come from Debian 12 only; take the line out, or bring the program in the source',
  });
}
