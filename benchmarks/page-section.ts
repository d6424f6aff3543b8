// Several benchmarks share one page of the reference; each rewrites the part between its own marks.
import { readFile, writeFile } from 'node:fs/promises';

/** The rest of the page stays; a page without the section gets it at its end. */
export async function writeSection(path: string, name: string, text: string): Promise<void> {
  await writeFile(path, replaceSection(await readFile(path, 'utf8'), name, text));
}

export function replaceSection(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const section = `${begin}\n\n${text.trim()}\n\n${end}`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 && to === -1) return `${page.trimEnd()}\n\n${section}\n`;
  if (from === -1 || to < from) throw new Error(`one mark of ${name} is missing`);
  return `${page.slice(0, from)}${section}${page.slice(to + end.length)}`;
}
