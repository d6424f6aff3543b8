// The pages of docs/reference, made from what the code goes by: error registry, limits, commands,
// exit codes.
import { format } from 'prettier';
import { ERROR_CODES } from '../packages/protocol/src/error-codes.ts';
import { EXIT_MEANINGS } from '../packages/cli/src/exit-codes.ts';
import { APP_OPTIONS, COMMON_OPTIONS, PLATFORM_OPTIONS } from '../packages/cli/src/program.ts';
import { VARIABLES } from '../packages/cli/src/variables.ts';
import type { Term, Verb } from '../packages/cli/src/verb.ts';
import { VERB_GROUPS } from '../packages/cli/src/verbs/index.ts';
import { LIMITS } from '../packages/platform/src/domain/limits.ts';

const NOTICE = '<!-- Made by script/generate-reference.ts; edit the code instead. -->';

/** File name in docs/reference -> content. */
export async function renderReference(): Promise<ReadonlyMap<string, string>> {
  const pages = new Map([
    ['errors.md', errorsPage()],
    ['defaults.md', defaultsPage()],
    ['cli.md', cliPage()],
    ['exit-codes.md', exitCodesPage()],
  ]);
  const entries = [...pages].map(async ([name, text]): Promise<[string, string]> => {
    return [name, await format(`${NOTICE}\n\n${text}`, { parser: 'markdown', printWidth: 100 })];
  });
  return new Map(await Promise.all(entries));
}

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, { kind, httpStatus, summary }]) => [
    `\`${code}\``,
    kind,
    String(httpStatus),
    summary,
  ]);
  return [
    '# Error codes',
    'A code never changes its meaning. `user`: whoever runs the CLI can mend it; `system`: the operator of the platform. Every error carries a message that names the offending thing and, where there is one, the place and the next command.',
    table(['code', 'kind', 'HTTP', 'meaning'], rows),
  ].join('\n\n');
}

function defaultsPage(): string {
  const sections = Object.entries(LIMITS).map(([group, values]) => {
    const rows = Object.entries(values).map(([name, value]) => [
      `\`${name}\``,
      quantity(name, value),
    ]);
    return `## ${group}\n\n${table(['name', 'value'], rows)}`;
  });
  return ['# Defaults and limits', ...sections].join('\n\n');
}

/** By the unit that ends the name. */
function quantity(name: string, value: number | string): string {
  if (typeof value === 'string') return `\`${value}\``;
  if (/Bytes(Max|Min)?$/.test(name))
    return inUnits(value, ['B', 'KiB', 'MiB', 'GiB'], [1024, 1024, 1024]);
  if (/Ms(First|Max|Min)?$/.test(name))
    return inUnits(value, ['ms', 's', 'min', 'h'], [1000, 60, 60]);
  if (name.endsWith('S')) return `${value} s`;
  return value < 10_000 ? String(value) : value.toLocaleString('en');
}

/** The largest unit in which it is a whole number: `90 s`, `2 GiB`. */
function inUnits(value: number, units: readonly string[], steps: readonly number[]): string {
  let index = 0;
  for (let step = steps[index]; step && value > 0 && value % step === 0; step = steps[index]) {
    value /= step;
    index += 1;
  }
  return `${value} ${units[index]}`;
}

function cliPage(): string {
  return [
    '# The tandem command',
    'The app is `-a`, else `TANDEM_APP`, else the app that the folder is linked to; it is never a positional argument. `config:set` is read as `config set`. With `--json` an answer, also an error, is one JSON document on standard output; `logs --json` and `deploy --events` print a line of JSON each.',
    '## Options of every command',
    terms([...PLATFORM_OPTIONS, ...COMMON_OPTIONS]),
    'Commands about one app also take:',
    terms(APP_OPTIONS),
    '## Environment',
    terms(VARIABLES),
    ...VERB_GROUPS.flatMap(({ title, verbs }) => [
      `## ${title}`,
      ...verbs.flatMap((verb) => verbSections(verb, 'tandem')),
    ]),
  ].join('\n\n');
}

function verbSections(verb: Verb, parent: string): string[] {
  const path = `${parent} ${verb.name}`;
  const usage = [path, '[options]', ...(verb.args ?? []).map(([syntax]) => syntax)].join(' ');
  return [
    `### ${path}`,
    verb.summary,
    `\`\`\`\n${usage}\n\`\`\``,
    terms([...(verb.args ?? []), ...(verb.options ?? [])]),
    ...(verb.examples ? [`\`\`\`sh\n${verb.examples.join('\n')}\n\`\`\``] : []),
    ...(verb.children ?? []).flatMap((child) => verbSections(child, path)),
  ].filter((section) => section !== '');
}

function exitCodesPage(): string {
  return [
    '# Exit codes of tandem',
    table(
      ['status', 'meaning'],
      EXIT_MEANINGS.map(([code, meaning]) => [String(code), meaning]),
    ),
    '`tandem run` ends with the status of the command it ran, which may be any of these.',
  ].join('\n\n');
}

function terms(list: readonly Term[]): string {
  return list.map(([syntax, meaning]) => `- \`${syntax}\`: ${meaning}`).join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
