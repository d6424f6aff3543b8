// Which settings module to try after one that could not be imported. Pure.
import { TandemError } from '@tandem/protocol';
import type { Detection } from '../detect/detect.ts';
import { finding } from '../detect/evidence.ts';

/** Undefined when the error is not of a kind that another module would mend, or none is left. */
export function nextSettings(detection: Detection, error: unknown): Detection | undefined {
  const { settings, config } = detection;
  if (settings === undefined || config.settings !== undefined) return undefined;
  if (!(error instanceof TandemError)) return undefined;
  if (error.code !== 'MODULE_MISSING' && error.code !== 'SETTINGS_MODULE_WRONG') return undefined;
  const [next, ...alternatives] = settings.alternatives;
  if (next === undefined) return undefined;
  const why = `not ${settings.name}: ${error.message}`;
  const others = detection.findings.filter(
    ({ rule, value }) => rule !== 'settings' || value !== settings.name,
  );
  return {
    ...detection,
    settings: { ...settings, ...next, alternatives },
    findings: [...others, finding('settings', next.name, why, error.where ?? next.file)],
  };
}
