// The environment variables that the CLI reads, for the reference.
import type { Term } from './verb.ts';

export const VARIABLES: readonly Term[] = [
  ['TANDEM_APP', 'the app, when there is no --app'],
  ['TANDEM_ON', 'the context, when there is no --on'],
  ['TANDEM_INSTALLATION', 'an installation on this machine, when there is no --installation'],
  ['TANDEM_SOCKET', 'path of a control socket; beats every context but those of flags'],
  ['TANDEM_SSH_CONFIG', 'a configuration file for the ssh that carries the tunnel (ssh -F)'],
  ['NO_COLOR', 'no colours when it is set to anything'],
  ['XDG_CONFIG_HOME', 'where contexts are kept (tandem/contexts.json); default: ~/.config'],
];
