// Options about certificates: said to `up`, kept with the installation, handed on to the agent.
import { TandemError } from '@tandem/protocol';
import type { CertificateSettings } from '../domain/installation.ts';

export const CERTIFICATE_USAGE = `  --acme-directory URL  certificate authority; default: none, all certificates are our own
  --acme-ca FILE        PEM; what that authority's HTTPS is trusted by, besides the system's
  --acme-contact EMAIL  where the authority writes to
  --dns-hook ARG        command that writes DNS records, once for each of its words
  --public-address IP   where the world reaches this machine (repeatable)
  --dns-server IP:PORT  where domains are looked up (repeatable); default: the machine's`;

export const CERTIFICATE_OPTIONS = {
  'acme-directory': { type: 'string' },
  'acme-ca': { type: 'string' },
  'acme-contact': { type: 'string' },
  'dns-hook': { type: 'string', multiple: true },
  'public-address': { type: 'string', multiple: true },
  'dns-server': { type: 'string', multiple: true },
} as const;

type Values = {
  readonly [Key in keyof typeof CERTIFICATE_OPTIONS]?: (typeof CERTIFICATE_OPTIONS)[Key] extends {
    multiple: true;
  }
    ? string[]
    : string;
};

const NAMES = {
  directoryUrl: 'acme-directory',
  extraCaFile: 'acme-ca',
  contactEmail: 'acme-contact',
  dnsHook: 'dns-hook',
  publicAddresses: 'public-address',
  dnsServers: 'dns-server',
} as const satisfies Record<keyof CertificateSettings, keyof Values>;
const SETTINGS = Object.entries(NAMES) as [keyof CertificateSettings, keyof Values][];

/** What was said; an empty value stays in it, and means: not any more. */
export function readCertificateOptions(values: Values): CertificateSettings {
  const said = SETTINGS.flatMap(([setting, option]) => {
    const value = values[option];
    return value === undefined ? [] : [[setting, value] as const];
  });
  const settings = Object.fromEntries(said) as CertificateSettings;
  const { directoryUrl, extraCaFile } = settings;
  if (directoryUrl && !(URL.canParse(directoryUrl) && directoryUrl.startsWith('https://')))
    throw new TandemError('USAGE', `--acme-directory ${directoryUrl} is not an https URL.`);
  if (extraCaFile && !extraCaFile.startsWith('/'))
    throw new TandemError('USAGE', `--acme-ca ${extraCaFile} is not an absolute path.`);
  return settings;
}

/** `said` over what was known. */
export function mergeCertificateSettings(
  known: CertificateSettings = {},
  said: CertificateSettings = {},
): CertificateSettings {
  const isSaid = ([, value]: [string, string | readonly string[]]): boolean =>
    value !== '' && !(Array.isArray(value) && value.every((one) => one === ''));
  const merged = { ...known, ...said };
  return Object.fromEntries(Object.entries(merged).filter(isSaid));
}

export function certificateArguments(settings: CertificateSettings = {}): string[] {
  return SETTINGS.flatMap(([setting, option]) =>
    [settings[setting] ?? []].flat().map((value) => `--${option}=${value}`),
  );
}
