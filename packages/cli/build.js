// Bundles the CLI into one file, which starts in a fraction of the time of many: `build.js [OUTFILE]`.
import { chmod, readFile } from 'node:fs/promises';
import { build } from 'esbuild';

const here = import.meta.dirname;
const { version } = JSON.parse(await readFile(`${here}/package.json`, 'utf8'));
const outfile = process.argv[2] ?? `${here}/dist/tandem.js`;

await build({
  entryPoints: [`${here}/src/main.ts`],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  conditions: ['development'],
  define: { TANDEM_VERSION: JSON.stringify(version) },
  minifyWhitespace: true,
  minifySyntax: true,
  // tar-stream is CommonJS and asks for Node's own modules with require.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
await chmod(outfile, 0o755);
