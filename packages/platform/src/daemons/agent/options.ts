// The agent's command line and what it takes from its environment.
import { parseArgs } from 'node:util';
import { TandemError } from '@tandem/protocol';
import type { CertificateSettings } from '../../domain/installation.ts';
import {
  CERTIFICATE_OPTIONS,
  CERTIFICATE_USAGE,
  readCertificateOptions,
} from '../certificate-options.ts';

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
${CERTIFICATE_USAGE}
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
      ...CERTIFICATE_OPTIONS,
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
    certificates: readCertificateOptions(values),
  };
}
