// Django cannot find or load the settings module it was told to use.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput } from './evidence.ts';
import { lastTraceback, projectWhere } from './traceback.ts';

export function wrongSettings(input: DiagnosisInput): ErrorBody | undefined {
  const traceback = lastTraceback(input.logTail);
  if (traceback === undefined) return undefined;
  const missing = /No module named '([^']+)'/.exec(traceback.message)?.[1];
  const settings = input.settingsModule ?? namedByImportError(traceback.message);
  if (missing !== undefined && (settings === missing || settings?.startsWith(`${missing}.`))) {
    return wrong(`Settings module "${settings}" cannot be imported: there is no "${missing}".`);
  }
  if (/settings are not configured|Could not import settings/.test(traceback.message)) {
    return {
      ...wrong(`Django found no settings: ${traceback.message.split('\n')[0]}`),
      where: projectWhere(traceback),
    };
  }
  return undefined;
}

function namedByImportError(message: string): string | undefined {
  return /Could not import settings '([^']+)'/.exec(message)?.[1];
}

function wrong(message: string): ErrorBody {
  return {
    code: 'SETTINGS_MODULE_WRONG',
    message,
    where: 'DJANGO_SETTINGS_MODULE',
    hint: 'name it in tandem.toml: settings = "PACKAGE.settings"\nor: tandem config set DJANGO_SETTINGS_MODULE=PACKAGE.settings',
  };
}
