// A requirements file or pyproject.toml that the resolver cannot parse.
import type { ErrorBody } from '@tandem/protocol';
import type { InstallFailure } from './evidence.ts';

const INVALID =
  /error: (?:Couldn't parse requirement in `[^`]+`|Unsupported requirement in `?[^`\n]+|Invalid (?:requirement|hash|value)[^\n]*|Unexpected '[^\n]*|Error parsing included file[^\n]*|Failed to parse[^\n]*|Requirement `[^`]+` [^\n]*)/;

export function invalidRequirement(failure: InstallFailure): ErrorBody | undefined {
  const said = INVALID.exec(failure.logTail);
  if (said === null) return undefined;
  const detail = failure.logTail.slice(said.index);
  const reason = /^\s*cause: ([^\n]+)\n\s+([^\n^]+)/m.exec(detail);
  const text = reason?.[2]?.trim();
  const line = failure.lines.find((one) => text !== undefined && one.text.includes(text));
  const what = text === undefined ? said[0].replace(/^error: /, '') : `"${text}": ${reason?.[1]}`;
  return {
    code: 'REQUIREMENTS_INVALID',
    message: `A requirement cannot be read: ${what}`,
    where: line?.evidence ?? failure.file,
    hint: 'write NAME==VERSION, for example: django==5.2',
  };
}
