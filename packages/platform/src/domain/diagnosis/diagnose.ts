// The true cause of a failed import, start or probe, or undefined when no rule knows it. The order
// counts: a wrong settings module is also a missing one, and every cause is also a failed import.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput, DiagnosisRule } from './evidence.ts';
import { diskFull } from './disk-full.ts';
import { failedImport } from './failed-import.ts';
import { hanging } from './hanging.ts';
import { missingModule } from './missing-module.ts';
import { missingVariable } from './missing-variable.ts';
import { outOfMemory } from './out-of-memory.ts';
import { readOnly } from './read-only.ts';
import { refusedHost } from './refused-host.ts';
import { serverError } from './server-error.ts';
import { unknownCommand } from './unknown-command.ts';
import { wrongSettings } from './wrong-settings.ts';

export type { DiagnosisInput } from './evidence.ts';

const RULES: readonly DiagnosisRule[] = [
  outOfMemory,
  diskFull,
  readOnly,
  refusedHost,
  wrongSettings,
  missingModule,
  missingVariable,
  failedImport,
  unknownCommand,
  serverError,
  hanging,
];

export function diagnose(input: DiagnosisInput): ErrorBody | undefined {
  for (const rule of RULES) {
    const cause = rule(input);
    if (cause !== undefined) return cause;
  }
  return undefined;
}
