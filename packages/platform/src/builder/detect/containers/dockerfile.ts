// A Dockerfile as its stages, each with its instructions: continuation lines joined, heredocs kept as
// the text of their instruction, arguments with a default filled in.
import { interpolate } from './interpolation.ts';

export interface Instruction {
  /** Upper case. */
  readonly name: string;
  readonly text: string;
  readonly line: number;
}

export interface Stage {
  readonly name: string | undefined;
  readonly image: string;
  readonly line: number;
  readonly instructions: readonly Instruction[];
}

const CHARACTERS_MAX = 256 * 1024;
const HEREDOC = /<<-?\s*["']?(\w+)["']?/;
const PYTHON_IMAGE = /python|pypy|conda|\buv\b|poetry|django|flask|fastapi/i;
const PYTHON_STEP = /\b(pip3?|python3?|poetry|uv|pipenv|manage\.py|gunicorn|uvicorn|celery)\b/;
const FROM = /^(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?/i;

/** None when it is no Dockerfile that can be read. */
export function parseDockerfile(text: string): Stage[] {
  if (text.length > CHARACTERS_MAX || /^#\s*escape=`/im.test(text.slice(0, 500))) return [];
  const values = new Map<string, string>();
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const instruction of instructionsOf(text)) {
    if (instruction.name === 'ARG') setArguments(instruction.text, values);
    if (instruction.name === 'FROM') {
      const [, image = '', name] = FROM.exec(interpolate(instruction.text, values).text) ?? [];
      stages.push({ name, image, line: instruction.line, instructions: [] });
    } else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** The stages that this one is made from, itself last. */
export function ancestry(stages: readonly Stage[], stage: Stage): Stage[] {
  const before = stages.slice(0, stages.indexOf(stage));
  const base = before.findLast(({ name }) => isSame(name, stage.image));
  return [...(base === undefined ? [] : ancestry(stages, base)), stage];
}

/** The stages that it copies files from. */
export function copiedFrom(stages: readonly Stage[], stage: Stage): Stage[] {
  const sources = ancestry(stages, stage)
    .flatMap(({ instructions }) => instructions)
    .flatMap(({ text }) => [...text.matchAll(/(?:--|,)from=([^\s,]+)/g)])
    .map(([, name = '']) => name);
  return stages.filter(
    (one, index) =>
      one !== stage && sources.some((name) => isSame(one.name, name) || name === String(index)),
  );
}

export function runsPython(stages: readonly Stage[], stage: Stage): boolean {
  const [base] = ancestry(stages, stage);
  if (PYTHON_IMAGE.test(base?.image ?? '')) return true;
  if (/node|nginx|postgres|redis|mysql|mariadb|golang|ruby|php/i.test(base?.image ?? ''))
    return false;
  const starts = new Set(['RUN', 'CMD', 'ENTRYPOINT']);
  return ancestry(stages, stage).some(({ instructions }) =>
    instructions.some(({ name, text }) => starts.has(name) && PYTHON_STEP.test(text)),
  );
}

function isSame(name: string | undefined, other: string): boolean {
  return name !== undefined && name.toLowerCase() === other.toLowerCase();
}

function instructionsOf(text: string): Instruction[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const instructions: Instruction[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    const [, name, first = ''] = /^\s*([A-Za-z]+)\s+(.*)$/.exec(lines[index] ?? '') ?? [];
    if (name === undefined) continue;
    let whole = first.trimEnd();
    while (/\\\s*$/.test(whole) && index + 1 < lines.length) {
      index += 1;
      const next = lines[index] ?? '';
      // Comments and empty lines between continued ones belong to nobody.
      if (/^\s*(#|$)/.test(next)) continue;
      whole = `${whole.replace(/\\\s*$/, '')} ${next.trim()}`;
    }
    const end = HEREDOC.exec(whole)?.[1];
    if (end !== undefined) {
      const stop = lines.findIndex((one, at) => at > index && one.trim() === end);
      const body = lines.slice(index + 1, stop < 0 ? lines.length : stop);
      whole = name.toUpperCase() === 'RUN' ? body.join('\n') : whole;
      index = stop < 0 ? lines.length : stop;
    }
    instructions.push({ name: name.toUpperCase(), text: whole.replace(/\\\s*$/, '').trim(), line });
  }
  return instructions;
}

function setArguments(text: string, values: Map<string, string>): void {
  for (const [name, value] of assignments(text)) values.set(name, value);
}

/** `A=1 B="two words"`, and the old form of ENV: `A value to the end`. */
export function assignments(text: string): [string, string][] {
  const pairs = [
    ...text.matchAll(/(?:^|\s)([A-Za-z_]\w*)=("(?:\\.|[^"\\])*"|'[^']*'|(?:\\.|\S)*)/g),
  ];
  if (/^[A-Za-z_]\w*=/.test(text)) {
    return pairs.map(([, name = '', value = '']) => [name, unquoted(value)]);
  }
  const [, name, value] = /^([A-Za-z_]\w*)\s+(.+)$/.exec(text) ?? [];
  return name === undefined || value === undefined ? [] : [[name, unquoted(value.trim())]];
}

function unquoted(value: string): string {
  const inner = /^(["'])([^]*)\1$/.exec(value)?.[2];
  return (inner ?? value).replaceAll(/\\(.)/g, '$1');
}
