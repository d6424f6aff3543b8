// What a build must have written for the site to be whole: paths that are git-ignored and missing,
// that the build tool's files speak of, and that the site reads. All three, because each alone is
// common. Pure.
import { hasFile, under, type SourceTree } from '../detect/source-tree.ts';
import { missingIgnored, parentOf, type IgnoredPath } from './ignored-paths.ts';

export interface OutputQuestion {
  /** Of package.json. */
  readonly directory: string;
  /** Configuration of the tool, and its commands. */
  readonly toolTexts: readonly string[];
  /** Directories that the configuration is known to write into. */
  readonly outputs: readonly string[];
  /** Python files at the settings. */
  readonly siteTexts: readonly string[];
}

/** Names of their own; of all others the directory before them must be named too. */
const DISTINCT = /[_.-]|^(compiled|generated|webpack|staticcompiled)/;
/** Not the site's. */
const ASIDE = /(^|\/)(docs?|tests?|e2e|examples?)(\/|$)/;
const WEB_FILE = /\.(js|mjs|css)$/;
/** Where the site collects or uploads to is not what it reads from. */
const TARGETS = /\b(STATIC_ROOT|MEDIA_ROOT|STATIC_URL|MEDIA_URL)\b.*/g;

export function expectedOutput(
  tree: SourceTree,
  { directory, toolTexts, outputs, siteTexts }: OutputQuestion,
): IgnoredPath | undefined {
  const reads = siteTexts.map((text) => text.replace(TARGETS, ''));
  return missingIgnored(tree, directory).find((one) => {
    if (ASIDE.test(one.path)) return false;
    if (isFileWithin(one, outputs)) return true;
    const isWritten = toolTexts.some((text) => speaksOf(text, one.path));
    return isWritten && (isOfAnApp(tree, one) || reads.some((text) => speaksOf(text, one.path)));
  });
}

/** `static/js/bundle.js`, where the tool writes into `static/js`. */
function isFileWithin({ path, isAnywhere }: IgnoredPath, outputs: readonly string[]): boolean {
  return !isAnywhere && WEB_FILE.test(path) && outputs.includes(parentOf(path));
}

/** `shop/static`: Django finds it by itself. */
function isOfAnApp(tree: SourceTree, { path, isAnywhere }: IgnoredPath): boolean {
  const place = /^(.*?)\/static(\/|$)/.exec(path)?.[1];
  return !isAnywhere && place !== undefined && hasFile(tree, under(place, '__init__.py'));
}

/** In quotes, or as a part of what is in quotes: "static/build", 'static' / 'build', "build/css". */
function speaksOf(text: string, path: string): boolean {
  const names = path.split('/').map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const last = names.at(-1) ?? '';
  const before = names.at(-2);
  if (DISTINCT.test(last)) return new RegExp(`["'\`/]${last}["'\`/]`).test(text);
  const start =
    before === undefined ? '["\'`](?:\\./)?' : `["'\`/]${before}["'\`]?\\s*[,/+]\\s*["'\`]?/?`;
  return new RegExp(`${start}${last}["'\`/]`).test(text);
}
