// Which platform a command speaks to. Flags beat variables, variables beat what is stored:
// --on, --installation, TANDEM_SOCKET, TANDEM_ON, TANDEM_INSTALLATION, the folder's link, the
// context of the last login, this machine.
import { TandemError } from '@tandem/protocol';
import type { Contexts } from './contexts.ts';

export const LOCAL = 'local';
const DEFAULT_INSTALLATION = 'default';

export type Destination =
  | { readonly kind: 'socket'; readonly name: string; readonly socketPath: string }
  | {
      readonly kind: 'ssh';
      readonly name: string;
      readonly url: string;
      readonly socketPath: string;
    };

export interface DestinationInputs {
  readonly on: string | undefined;
  readonly installation: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly linkOn: string | undefined;
  readonly contexts: Contexts;
}

export function chooseDestination(inputs: DestinationInputs): Destination {
  const { on, installation, env, linkOn, contexts } = inputs;
  if (on !== undefined) return named(on, installation, contexts);
  if (installation !== undefined) return local(installation);
  const socketPath = env['TANDEM_SOCKET'];
  if (socketPath) return { kind: 'socket', name: socketPath, socketPath };
  if (env['TANDEM_ON']) return named(env['TANDEM_ON'], undefined, contexts);
  if (env['TANDEM_INSTALLATION']) return local(env['TANDEM_INSTALLATION']);
  return named(linkOn ?? contexts.current ?? LOCAL, undefined, contexts);
}

function named(name: string, installation: string | undefined, contexts: Contexts): Destination {
  if (name === LOCAL) return local(installation ?? DEFAULT_INSTALLATION);
  const context = contexts.contexts[name];
  if (!context) {
    const known = [LOCAL, ...Object.keys(contexts.contexts)].join(', ');
    throw new TandemError('NOT_FOUND', `No context is named "${name}" (known: ${known}).`, {
      hint: `tandem login ssh://root@HOST --on ${name}`,
    });
  }
  const socketPath = controlSocketOf(installation ?? context.installation);
  return { kind: 'ssh', name, url: context.url, socketPath };
}

function local(installation: string): Destination {
  const name = installation === DEFAULT_INSTALLATION ? 'this machine' : installation;
  return { kind: 'socket', name, socketPath: controlSocketOf(installation) };
}

export function controlSocketOf(installation: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(installation)) {
    throw new TandemError('USAGE', `"${installation}" cannot be the name of an installation.`);
  }
  return `/run/tandem/${installation}/control.sock`;
}
