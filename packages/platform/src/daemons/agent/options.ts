// The agent's command line and what it takes from its environment.
import { parseArgs } from 'node:util';
import { TandemError } from '@tandem/protocol';
import type { CertificateSettings } from './certificates.ts';

export interface AgentOptions {
  readonly installation: string;
  readonly dataRoot: string;
  readonly runRoot: string;
  readonly sandbox: 'crun' | 'process';
  readonly certificates: CertificateSettings;
}

export const AGENT_USAGE = `Usage: agent --installation NAME [options]

  --installation NAME   which installation (required)
  --data-root DIR       default /var/lib/tandem
  --run-root DIR        default /run/tandem
  --sandbox KIND        crun (default) or process
  --acme-directory URL  certificate authority; default: none, all certificates are our own
  --acme-ca FILE        PEM; what that authority's HTTPS is trusted by, besides the system's
  --acme-contact EMAIL  where the authority writes to
  --dns-hook ARG        command that writes DNS records, once for each of its words
  --public-address IP   where the world reaches this machine (repeatable)
  --dns-server IP:PORT  where domains are looked up (repeatable); default: the machine's
  --help                this text

Environment: HOME and PYENV_ROOT (where interpreters are looked for), PATH (where uv is),
UV_INDEX_URL (package index), UV_PYTHON_INSTALL_MIRROR (interpreters that uv fetches), SSL_CERT_FILE
(CA bundle given to sandboxes).
`;

export function parseAgentOptions(args: readonly string[]): AgentOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      installation: { type: 'string' },
      'data-root': { type: 'string', default: '/var/lib/tandem' },
      'run-root': { type: 'string', default: '/run/tandem' },
      sandbox: { type: 'string', default: 'crun' },
      'acme-directory': { type: 'string' },
      'acme-ca': { type: 'string' },
      'acme-contact': { type: 'string' },
      'dns-hook': { type: 'string', multiple: true },
      'public-address': { type: 'string', multiple: true },
      'dns-server': { type: 'string', multiple: true },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { installation, sandbox } = values;
  if (installation === undefined) throw new TandemError('USAGE', '--installation is missing');
  if (sandbox !== 'crun' && sandbox !== 'process') {
    throw new TandemError('USAGE', `--sandbox ${sandbox}: it is crun or process`);
  }
  return {
    installation,
    sandbox,
    dataRoot: values['data-root'],
    runRoot: values['run-root'],
    certificates: certificateSettings(values),
  };
}

function certificateSettings(values: {
  readonly 'acme-directory'?: string;
  readonly 'acme-ca'?: string;
  readonly 'acme-contact'?: string;
  readonly 'dns-hook'?: string[];
  readonly 'public-address'?: string[];
  readonly 'dns-server'?: string[];
}): CertificateSettings {
  const [command, ...words] = values['dns-hook'] ?? [];
  const given = {
    directoryUrl: values['acme-directory'],
    extraCaFile: values['acme-ca'],
    contactEmail: values['acme-contact'],
    dnsHook: command === undefined ? undefined : [command, ...words],
    dnsServers: values['dns-server'],
  };
  const present = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(present), publicAddresses: values['public-address'] ?? [] };
}
