// A setup.py that describes a project, as against any module that happens to be called so.
import { logicalLines } from '../python-source.ts';
import { under, type SourceTree } from '../source-tree.ts';

/** What brings a `setup` that builds: not `django.setup()`, not a view of that name. */
const BUILDERS =
  /^\s*(?:from|import)\s+(?:[\w.]+\s*,\s*)*(setuptools|distutils|numpy\.distutils|skbuild|cx_Freeze|setupmeta|d2to1|py2exe|py2app)\b/;
const CALL = /(?:^|[\s;:=])(?:[\w]+\.)*setup\s*\(/;
const OTHER_CALL = /\bdjango\.setup\s*\(|^(?:async\s+)?def\s/;

/** Its text; undefined when there is none, or it is something else. */
export function setupScript(tree: SourceTree, directory: string): string | undefined {
  const text = tree.read(under(directory, 'setup.py'));
  return text !== undefined && describesProject(text) ? text : undefined;
}

function describesProject(text: string): boolean {
  if (!/\bsetup\s*\(/.test(text)) return false;
  const lines = logicalLines(text);
  const calls = ({ code }: { readonly code: string }): boolean =>
    CALL.test(code) && !OTHER_CALL.test(code);
  return lines.some(({ code }) => BUILDERS.test(code)) && lines.some(calls);
}
