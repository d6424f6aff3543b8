// `app.config.from_object(os.environ['APP_SETTINGS'])`: the variable holds the path of a class, and
// the class for production can be seen in the source.
import { classify } from './dependencies/production-names.ts';
import { moduleBelow } from './import-graph.ts';
import { walkFiles, type SourceTree } from './source-tree.ts';
import type { GivenVariable } from './variables.ts';

const DEPTH_MAX = 3;
const FROM_VARIABLE =
  /\bfrom_object\(\s*(?:os\.)?(?:environ\[\s*["'](\w+)["']\s*\]|(?:environ\.get|getenv)\(\s*["'](\w+)["']\s*\))/;
const PRODUCTION_CLASS = /^class\s+(Prod(?:uction)?(?:Config|Settings|Configuration)?)\b/m;
const CONFIGURATION = /(^|\/)(config|configs|configuration|settings)(\.py|\/)/;

export function flaskConfig(
  tree: SourceTree,
  root: string,
  pythonPath: readonly string[],
  startFiles: readonly string[],
): GivenVariable[] {
  const texts = startFiles.map((file) => tree.read(file) ?? '');
  const [, one, other] = texts.map((text) => FROM_VARIABLE.exec(text)).find(Boolean) ?? [];
  const name = one ?? other;
  if (name === undefined) return [];
  const files = walkFiles(tree, root, DEPTH_MAX).filter(
    (path) => path.endsWith('.py') && CONFIGURATION.test(path),
  );
  for (const file of files) {
    const configuration = PRODUCTION_CLASS.exec(tree.read(file) ?? '')?.[1];
    const module = moduleOf(file, pythonPath);
    if (configuration !== undefined && module !== undefined) {
      return [{ name, value: `${module}.${configuration}`, why: `${file} has it for production` }];
    }
  }
  const file = files.find((path) => classify(path.replace(/^.*\/|\.py$/g, '')) === 'production');
  const module = file === undefined ? undefined : moduleOf(file, pythonPath);
  return module === undefined ? [] : [{ name, value: module, why: `${file} is for production` }];
}

function moduleOf(file: string, pythonPath: readonly string[]): string | undefined {
  return pythonPath.map((base) => moduleBelow(file, base)).find((name) => name !== undefined);
}
