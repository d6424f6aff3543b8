// What was detected as a tandem.toml that says the same: whoever keeps it is sure of it, whatever
// the rules of a later version find. Pure.
import { stringify } from 'smol-toml';
import type { Detection } from './detect.ts';

/** Of tandem.toml; a name that does not fit cannot be said there. */
const PROCESS_NAME = /^[a-z][a-z0-9-]{0,29}$/;

type Values = Record<string, unknown>;

export function equivalentToml(detection: Detection): string {
  const values: Values = { ...detection.config, ...detectedValues(detection) };
  const tables = Object.entries(values).filter(([, value]) => isTable(value));
  const plain = Object.entries(values).filter(([, value]) => !isTable(value));
  return [
    '# Made by "tandem detect --toml": what a deploy finds by itself.',
    ...plain.map(([key, value]) => `${oneLine(key, value)}${reasonOf(detection, key)}`),
    ...tables.map(([key, value]) => `\n${stringify({ [key]: value }).trim()}`),
    '',
  ].join('\n');
}

function detectedValues(detection: Detection): Values {
  const { root, pythonVersion, settings, entry, dependencies, named, config } = detection;
  const isPython = detection.nodeApp === undefined;
  const isRequirements = dependencies.kind === 'requirements';
  const commands = Object.entries(named.processes).map(([name, one]) => [name, one.command]);
  const canBeSaid = commands.every(([name = '']) => PROCESS_NAME.test(name));
  const release = named.releaseCommands;
  const values: Values = {
    root: root === '' ? undefined : root,
    python: isPython ? (config.python ?? minorOf(pythonVersion)) : undefined,
    requirements: isRequirements ? dependencies.files[0] : undefined,
    settings: settings?.name,
    entry: settings === undefined && entry ? `${entry.module}:${entry.attribute}` : undefined,
    // For Django only the imported settings tell.
    database: settings === undefined ? detection.wantsDatabase : undefined,
    release: release?.length === 0 ? undefined : release,
    processes: canBeSaid && commands.length > 0 ? Object.fromEntries(commands) : undefined,
  };
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function minorOf(version: string): string {
  return version.split('.').slice(0, 2).join('.');
}

function isTable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function oneLine(key: string, value: unknown): string {
  return stringify({ [key]: value }).trim();
}

function reasonOf({ findings, config }: Detection, key: string): string {
  if (key in config) return '';
  const rule = key === 'requirements' ? 'dependencies' : key;
  const found = findings.find((one) => one.rule === rule);
  if (found === undefined) return '';
  const { why, evidence } = found;
  return `  # ${[why, evidence].filter(Boolean).join(': ').replaceAll(/\s+/g, ' ')}`;
}
