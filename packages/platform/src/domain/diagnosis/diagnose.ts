// The true cause of a failed import, start or probe, or undefined when no rule knows it. The order
// counts: a wrong settings module is also a missing one, and every cause is also a failed import.
import type { ErrorBody } from '@tandem/protocol';
import { circularImport } from './circular-import.ts';
import { databaseDriver } from './database-driver.ts';
import { diskFull } from './disk-full.ts';
import type { Cause, DiagnosisInput, DiagnosisRule } from './evidence.ts';
import { evidenceLines } from './evidence-lines.ts';
import { failedImport } from './failed-import.ts';
import { fileAccess } from './file-access.ts';
import { hanging } from './hanging.ts';
import { importHangs } from './import-hangs.ts';
import { interfaceMixed } from './interface-mixed.ts';
import { withPlainTracebacks } from './json-log.ts';
import { migrationConflict } from './migrations.ts';
import { missingModule } from './missing-module.ts';
import { missingTable } from './missing-table.ts';
import { missingVariable } from './missing-variable.ts';
import { outOfMemory } from './out-of-memory.ts';
import { readOnly } from './read-only.ts';
import { redirectLoop } from './redirect-loop.ts';
import { refusedHost } from './refused-host.ts';
import { removedName } from './removed-name.ts';
import { serverError } from './server-error.ts';
import { staticManifest } from './static-manifest.ts';
import { systemCheck } from './system-check.ts';
import { systemLibrary } from './system-library.ts';
import { unknownCommand } from './unknown-command.ts';
import { unreachableService } from './unreachable-service.ts';
import { wrongPython } from './version-mismatch.ts';
import { wrongSettings } from './wrong-settings.ts';

export type { DiagnosisInput } from './evidence.ts';

const RULES: readonly DiagnosisRule[] = [
  outOfMemory,
  diskFull,
  readOnly,
  redirectLoop,
  refusedHost,
  importHangs,
  wrongSettings,
  databaseDriver,
  systemLibrary,
  wrongPython,
  circularImport,
  removedName,
  missingModule,
  missingVariable,
  migrationConflict,
  systemCheck,
  staticManifest,
  missingTable,
  interfaceMixed,
  unreachableService,
  fileAccess,
  failedImport,
  unknownCommand,
  serverError,
  hanging,
];
/** These say what happens, not why: never worth a second place beside a cause. */
const GENERAL: ReadonlySet<DiagnosisRule> = new Set([failedImport, serverError, hanging]);

export interface Diagnosis {
  readonly cause: ErrorBody | undefined;
  /** What else the same evidence may mean, the more likely first. */
  readonly candidates: readonly ErrorBody[];
  /** Lines of the log that led to the cause. */
  readonly lines: readonly string[];
}

export function diagnose(raw: DiagnosisInput): ErrorBody | undefined {
  const input = readable(raw);
  for (const rule of RULES) {
    const cause = rule(input);
    if (cause !== undefined) return bodyOf(cause);
  }
  return undefined;
}

/** All that the evidence allows, for people who want to know more than the cause. */
export function examine(raw: DiagnosisInput): Diagnosis {
  const input = readable(raw);
  const found = RULES.flatMap((rule) => {
    const cause = rule(input);
    return cause === undefined ? [] : [{ rule, cause }];
  });
  const [first, ...others] = found;
  return {
    cause: first && bodyOf(first.cause),
    candidates: others.filter(({ rule }) => !GENERAL.has(rule)).map(({ cause }) => bodyOf(cause)),
    lines: evidenceLines(input.logTail, first?.cause),
  };
}

function readable(input: DiagnosisInput): DiagnosisInput {
  return { ...input, logTail: withPlainTracebacks(input.logTail) };
}

function bodyOf(cause: Cause): ErrorBody {
  const { said: _said, ...body } = cause;
  return body;
}
