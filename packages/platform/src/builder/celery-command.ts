// `celery worker -A shop` was right until Celery 5, which wants the options of all commands first. Pure.
import type { Finding, ProcessType } from '../domain/release.ts';
import { finding } from './detect/evidence.ts';
import { isOlder } from './detect/version-specifier.ts';
import { versionIn, type Lock } from './steps/lock.ts';

const OPTIONS_FIRST_SINCE = '5.0';
const COMMAND = /\bcelery\s+(worker|beat|events|inspect|control|purge|status|report)\b([^&|;]*)/;
/** Of the whole program, each with a value. */
const COMMON =
  /\s(-A|--app|-b|--broker|--result-backend|--loader|--config|--workdir)(?:=|\s+)("[^"]*"|'[^']*'|[^\s"']+)/g;

export interface CeleryProcesses {
  readonly processes: Readonly<Record<string, ProcessType>>;
  readonly findings: readonly Finding[];
}

export function withCeleryOptionsFirst(
  processes: Readonly<Record<string, ProcessType>>,
  lock: Lock | undefined,
): CeleryProcesses {
  const version = versionIn(lock, 'celery');
  if (version === undefined || isOlder(version, OPTIONS_FIRST_SINCE)) {
    return { processes, findings: [] };
  }
  const findings: Finding[] = [];
  const entries = Object.entries(processes).map(([name, process]) => {
    const command = optionsFirst(process.command);
    if (command === process.command) return [name, process] as const;
    const why = `Celery ${version} wants its options before the command`;
    findings.push(finding('process', `${name}: ${command}`, why));
    return [name, { ...process, command }] as const;
  });
  return { processes: Object.fromEntries(entries), findings };
}

export function optionsFirst(command: string): string {
  const [whole, subcommand, rest = ''] = COMMAND.exec(command) ?? [];
  if (whole === undefined) return command;
  const common = [...rest.matchAll(COMMON)].map(([text]) => text.trim());
  if (common.length === 0) return command;
  const kept = rest.replace(COMMON, '').trimEnd();
  const tail = /\s$/.test(rest) ? ' ' : '';
  return command.replace(whole, `celery ${common.join(' ')} ${subcommand}${kept}${tail}`);
}
