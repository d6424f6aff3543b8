// What the scripts of package.json call: other scripts, and programs. Pure.
import type { PackageJson } from './package-json.ts';

/** `npm run css`, `concurrently "npm:build:*"`, `npm-run-all --parallel "build:*" lint`. */
const CALLS =
  /\b(?:npm|yarn|pnpm|bun)\s+(?:run\s+)?([\w:-]+)|\bnpm:([\w:*-]+)|\b(?:run-[sp]|npm-run-all2?)\s+([^&|;]+)/g;
const SEPARATORS = /&&|\|\||[;|&\n]/;
const QUOTED = /(["']).*?\1/g;
const VARIABLE = /^\w+=/;
/** Programs that start another one: what they start is not looked at. */
const NOT_OURS = /^(npm|npx|yarn|pnpm|bun|bunx|node|\.{0,2}\/.*)$/;
/** Of the shell itself. */
const BUILT_IN = new Set(['cd', 'echo', 'exit', 'export', 'set', 'test', 'true', 'false', ':']);
/** Packages that bring a program of another name. */
const PACKAGES: Readonly<Record<string, string>> = {
  babel: '@babel/cli',
  cleancss: 'clean-css-cli',
  coffee: 'coffeescript',
  csso: 'csso-cli',
  grunt: 'grunt grunt-cli',
  lessc: 'less',
  ng: '@angular/cli',
  postcss: 'postcss-cli',
  'run-p': 'npm-run-all',
  'run-s': 'npm-run-all',
  swc: '@swc/cli',
  tailwindcss: '@tailwindcss/cli',
  tsc: 'typescript',
  uglifyjs: 'uglify-js',
  'vue-cli-service': '@vue/cli-service',
};

/** Commands of these scripts, with those of the scripts that they run. */
export function commandsOf({ scripts }: PackageJson, names: readonly string[]): string[] {
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const command = scripts[name];
    if (command === undefined || seen.has(name)) return;
    seen.add(name);
    for (const [, one, named, several] of command.matchAll(CALLS)) {
      for (const called of (one ?? named ?? several ?? '').split(/\s+/))
        visitMatching(unquoted(called));
    }
  };
  const visitMatching = (called: string): void => {
    const prefix = called.endsWith('*') ? called.replace(/\*+$/, '') : undefined;
    if (prefix === undefined) visit(called);
    else
      Object.keys(scripts)
        .filter((name) => name.startsWith(prefix))
        .forEach(visit);
  };
  names.forEach(visit);
  return [...seen].map((name) => scripts[name] ?? '');
}

/** Programs that must be installed or of the system for these commands to run. */
export function programsIn(commands: readonly string[]): string[] {
  const programs = commands.flatMap((command) =>
    command
      .replace(QUOTED, '""')
      .split(SEPARATORS)
      .flatMap((part) => {
        const [first] = part
          .trim()
          .split(/\s+/)
          .filter((word) => !VARIABLE.test(word));
        return first !== undefined && /^[\w@.-]+$/.test(first) ? [first] : [];
      }),
  );
  return [...new Set(programs)].filter((name) => !BUILT_IN.has(name) && !NOT_OURS.test(name));
}

/** What `npm install` must be told to get it. */
export function packageOf(program: string): string {
  return PACKAGES[program] ?? program;
}

function unquoted(word: string): string {
  return word.replace(/^\\?["']|\\?["']$/g, '');
}
