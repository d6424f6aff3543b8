// A file that everybody makes from a template of the project's before the first start.
import type { DiagnosisInput } from './evidence.ts';

/** What to do about a missing file that `text` names by its path or as a module; undefined when none. */
export function copyTemplate(
  text: string,
  { templates = {}, ignoredFiles = [] }: DiagnosisInput,
): string | undefined {
  const words = new Set(text.split(/[^\w./-]+/).map((word) => word.replace(/[.]+$/, '')));
  const found = Object.entries(templates).find(([path]) => isNamed(path, words));
  if (found === undefined) return undefined;
  const [path, template] = found;
  const isIgnored = ignoredFiles.some((one) => path === one || path.endsWith(`/${one}`));
  const send = isIgnored ? `\necho '!/${path}' >> .tandemignore   (git ignores it)` : '';
  return `cp ${template} ${path}, fill it in, and deploy again${send}`;
}

/** As `a/b/c.py`, as a shorter path that ends so, or as `b.c`. */
function isNamed(path: string, words: ReadonlySet<string>): boolean {
  const parts = path.split('/');
  const isPython = path.endsWith('.py');
  return parts.some((_, index) => {
    const tail = parts.slice(index).join('/');
    const module = tail.slice(0, -'.py'.length).replaceAll('/', '.');
    return words.has(tail) || words.has(`/app/${tail}`) || (isPython && words.has(module));
  });
}
