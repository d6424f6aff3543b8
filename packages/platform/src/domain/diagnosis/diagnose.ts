// The true cause of a failed import, start or probe, or undefined when no rule knows it. The order
// counts: a wrong settings module is also a missing one, and every cause is also a failed import.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput, DiagnosisRule } from './evidence.ts';
import { failedImport } from './failed-import.ts';
import { missingModule } from './missing-module.ts';
import { missingVariable } from './missing-variable.ts';
import { outOfMemory } from './out-of-memory.ts';
import { refusedHost } from './refused-host.ts';
import { wrongSettings } from './wrong-settings.ts';

export type { DiagnosisInput } from './evidence.ts';

const RULES: readonly DiagnosisRule[] = [
  outOfMemory,
  refusedHost,
  wrongSettings,
  missingModule,
  missingVariable,
  failedImport,
];

export function diagnose(input: DiagnosisInput): ErrorBody | undefined {
  for (const rule of RULES) {
    const cause = rule(input);
    if (cause !== undefined) return cause;
  }
  return undefined;
}
