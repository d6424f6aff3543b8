// Another installation that wants a stack: `KIND CACHE_DIRECTORY`. Prints progress, then the stack.
import { ensureStack } from '../../packages/platform/src/adapters/stacks/ensure-stack.ts';
import type { StackKind } from '../../packages/platform/src/adapters/stacks/recipe.ts';

const [kind, cacheDirectory = ''] = process.argv.slice(2);
const onProgress = (line: string): void => console.log(line);
console.log(JSON.stringify(await ensureStack(kind as StackKind, { cacheDirectory, onProgress })));
