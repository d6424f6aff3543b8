// Turns the table of verbs into a parser with help, and a parsed command line into a session.
import { Command, CommanderError, Option } from 'commander';
import { TandemError } from '@tandem/protocol';
import type { Options, Term, Verb } from './verb.ts';
import { VERB_GROUPS } from './verbs/index.ts';

export const APP_OPTIONS: readonly Term[] = [
  ['-a, --app <name>', 'the app; else TANDEM_APP, else the one this folder is linked to'],
];
export const PLATFORM_OPTIONS: readonly Term[] = [
  ['--on <context>', 'the platform, by the name given at login; "local" is this machine'],
  ['--installation <name>', 'installation on that machine; default: default'],
];
export const COMMON_OPTIONS: readonly Term[] = [
  ['--json', 'answer with one JSON document (logs: a line of JSON each)'],
  ['--verbose', 'show more: build output, causes'],
];

export interface Parsed {
  readonly verb: Verb;
  readonly args: readonly string[];
  readonly options: Options;
}

export interface ProgramOptions {
  readonly version: string;
  readonly write: (text: string) => void;
  /** Called with the one command that the user gave. */
  readonly onCommand: (parsed: Parsed) => Promise<void>;
}

export function buildProgram(options: ProgramOptions): Command {
  const program = new Command('tandem')
    .description('Deploys Python web applications to your own machine.')
    .version(options.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .enablePositionalOptions()
    .configureOutput({
      writeOut: options.write,
      writeErr: options.write,
      outputError: () => undefined,
    })
    .exitOverride();
  for (const term of optionsOf('app')) program.addOption(option(term).hideHelp());
  for (const { title, verbs } of VERB_GROUPS) {
    program.commandsGroup(`${title}:`);
    for (const verb of verbs) addVerb(program, verb, options);
  }
  return program;
}

function addVerb(parent: Command, verb: Verb, options: ProgramOptions): void {
  const command = parent.command(verb.name).summary(verb.summary).description(verb.summary);
  command.allowExcessArguments(false).helpOption('-h, --help', 'show this help');
  if (verb.children) command.enablePositionalOptions();
  for (const [syntax, meaning] of verb.args ?? []) command.argument(syntax, meaning);
  for (const term of [...(verb.options ?? []), ...optionsOf(verb.scope)]) {
    command.addOption(option(term));
  }
  if (verb.passThrough) command.passThroughOptions();
  if (verb.examples) {
    command.addHelpText(
      'after',
      `\nExamples:\n${verb.examples.map((line) => `  ${line}`).join('\n')}`,
    );
  }
  command.action(async () => {
    const args = command.processedArgs.flat().filter((arg): arg is string => arg !== undefined);
    await options.onCommand({ verb, args, options: command.optsWithGlobals<Options>() });
  });
  for (const child of verb.children ?? []) addVerb(command, child, options);
}

function option([syntax, meaning]: Term): Option {
  return new Option(syntax, meaning);
}

export function optionsOf(scope: Verb['scope']): readonly Term[] {
  if (scope === 'none') return [];
  if (scope === 'app') return [...APP_OPTIONS, ...PLATFORM_OPTIONS, ...COMMON_OPTIONS];
  return [...PLATFORM_OPTIONS, ...COMMON_OPTIONS];
}

/** `config:set` is read as `config set`; only where a command can stand. */
export function splitColons(argv: readonly string[]): string[] {
  const names = new Set(VERB_GROUPS.flatMap(({ verbs }) => verbs.map(({ name }) => name)));
  const at = argv.findIndex((arg) => names.has(arg.split(':')[0] ?? ''));
  const spelled = argv[at];
  if (spelled === undefined || !/^[a-z]+:[a-z]+$/.test(spelled)) return [...argv];
  return [...argv.slice(0, at), ...spelled.split(':'), ...argv.slice(at + 1)];
}

/** Undefined when the user asked for help or the version, which was printed. */
export function usageError(thrown: unknown): TandemError | undefined {
  if (!(thrown instanceof CommanderError)) return toError(thrown);
  if (thrown.exitCode === 0 || thrown.code === 'commander.help') return undefined;
  const [first = '', ...rest] = thrown.message.replace(/^error: /, '').split('\n');
  const message = `${first.charAt(0).toUpperCase()}${first.slice(1)}.`;
  const suggestion = rest.join(' ').replaceAll(/[()]/g, '').trim();
  return new TandemError('USAGE', suggestion === '' ? message : `${message} ${suggestion}`, {
    hint: 'tandem --help',
  });
}

function toError(thrown: unknown): TandemError {
  return thrown instanceof TandemError
    ? thrown
    : new TandemError('INTERNAL', String(thrown), { cause: thrown });
}
