// Projects whose WSGI application has no name to serve it by: Bottle's default app, web.py, Pyramid
// behind a paste file. A module is made that asks for it.
import { dirname } from 'node:path/posix';
import type { EntryPoint } from './entry-point.ts';
import { moduleName } from './import-graph.ts';
import { logicalLines } from './python-source.ts';
import { hasFile, under, type SourceTree } from './source-tree.ts';

export interface WrappedEntry {
  readonly entry: EntryPoint;
  readonly why: string;
  readonly evidence: string;
}

const MODULE = 'tandem_entry';
const PASTE_FILES = ['production.ini', 'prod.ini', 'app.ini'];

/** `files`: Python files of the project in order of trust. */
export function wrappedEntry(
  tree: SourceTree,
  root: string,
  files: readonly string[],
): WrappedEntry | undefined {
  for (const file of files) {
    const text = tree.read(file) ?? '';
    const found = bottle(text) ?? webPy(text);
    if (found === undefined) continue;
    const source = `import importlib\n\nmodule = importlib.import_module("${moduleName(file, root)}")\n`;
    return wrapped(root, source + found.ask, found.why, `${file}:${found.line}`);
  }
  return pyramid(tree, root);
}

interface Found {
  readonly ask: string;
  readonly why: string;
  readonly line: number;
}

function bottle(text: string): Found | undefined {
  if (!/^\s*(from bottle import|import bottle)\b/m.test(text)) return undefined;
  const route = logicalLines(text).find(({ code }) =>
    /^@(bottle\.)?(route|get|post|put|delete|error)\(/.test(code),
  );
  if (route === undefined) return undefined;
  const ask = 'import bottle\n\napplication = bottle.default_app()\n';
  return { ask, why: "routes of Bottle's default app", line: route.line };
}

function webPy(text: string): Found | undefined {
  const made = logicalLines(text)
    .map((line) => ({ line, name: /^(\w+)\s*=\s*web\.application\(/.exec(line.code)?.[1] }))
    .find(({ name }) => name !== undefined);
  if (made?.name === undefined) return undefined;
  const ask = `application = module.${made.name}.wsgifunc()\n`;
  return { ask, why: 'an application of web.py', line: made.line.line };
}

function pyramid(tree: SourceTree, root: string): WrappedEntry | undefined {
  const file = PASTE_FILES.map((name) => under(root, name)).find((path) => hasFile(tree, path));
  const line = (tree.read(file ?? '') ?? '').split('\n').findIndex((one) => /^\[app:/.test(one));
  if (file === undefined || line < 0) return undefined;
  const name = file.slice(dirname(file) === '.' ? 0 : dirname(file).length + 1);
  const ask = `import os\n\nfrom pyramid.paster import get_app, setup_logging\n\npath = os.path.join(os.path.dirname(os.path.abspath(__file__)), "${name}")\nsetup_logging(path)\napplication = get_app(path)\n`;
  return wrapped(root, ask, 'an application described by a paste file', `${file}:${line + 1}`);
}

function wrapped(root: string, text: string, why: string, evidence: string): WrappedEntry {
  const entry: EntryPoint = {
    module: MODULE,
    attribute: 'application',
    kind: 'wsgi',
    framework: 'wsgi',
    factory: false,
    pathEntry: root,
    made: { path: under(root, `${MODULE}.py`), text },
  };
  return { entry, why, evidence };
}
