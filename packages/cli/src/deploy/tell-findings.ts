// Findings as people read them: by what they are about, each with its place, how sure it is and why.
import type { FindingView } from '@tandem/protocol';
import { printable } from '../output/layout.ts';
import type { Output } from '../output/output.ts';

/** In the order of the output; what no group names is about the settings. */
const GROUPS: readonly (readonly [label: string, rules: readonly string[]])[] = [
  ['Project', ['framework', 'root', 'settings', 'entry', 'path', 'epio', 'overlay']],
  ['Build', ['python', 'dependencies', 'install', 'packages', 'apt', 'system', 'node', 'static']],
  ['Runs', ['process', 'release', 'server', 'command']],
  ['Needs', ['database', 'redis', 'volume', 'variable', 'media', 'cache']],
];
const OTHER = 'Settings';

export function tellFindings(output: Output, findings: readonly FindingView[]): void {
  const labels = [...GROUPS.map(([label]) => label), OTHER];
  for (const label of labels) {
    const own = findings.filter(({ rule }) => labelOf(rule) === label);
    for (const [index, finding] of own.entries()) {
      output.line(index === 0 ? label : '', printable(textOf(finding)));
    }
  }
}

/** What the text of a project cannot tell. */
export function tellAfterBuild(output: Output, findings: readonly FindingView[]): void {
  const isDjango = findings.some(({ rule, value }) => rule === 'framework' && value === 'django');
  const later = isDjango
    ? 'the databases and what else the imported settings say, migrations, static files, what the platform overrides'
    : 'whether it can be imported, and which server it needs';
  output.line('Later', `known after the build: ${later}`);
}

function textOf({ rule, value, why, evidence, confidence }: FindingView): string {
  const doubt = confidence === 'certain' ? undefined : confidence;
  const known = [evidence, doubt].filter(Boolean).join(', ');
  return `${rule} ${value}${known === '' ? '' : ` (${known})`}: ${why}`;
}

function labelOf(rule: string): string {
  return GROUPS.find(([, rules]) => rules.includes(rule))?.[0] ?? OTHER;
}
