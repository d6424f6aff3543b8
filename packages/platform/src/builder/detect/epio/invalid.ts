// How epio.ini is refused: with the line, and with how the line should read.
import { TandemError } from '@tandem/protocol';

export const EPIO_INI = 'epio.ini';

export function placeOf(line: number): string {
  return `${EPIO_INI}:${line}`;
}

export function invalid(
  line: number,
  what: string,
  hint = 'each line is [SECTION] or KEY = VALUE; comments begin with #',
): TandemError {
  const where = placeOf(line);
  return new TandemError('EPIO_INI_INVALID', `${where}: ${what}.`, { where, hint });
}
