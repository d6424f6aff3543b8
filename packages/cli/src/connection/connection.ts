// A client of the platform that was chosen, and the tunnel under it when there is one.
import { ControlClient } from '@tandem/protocol/client';
import type { Destination } from './destination.ts';

export interface Connection {
  readonly name: string;
  /** `name` is one that --on takes. */
  readonly isContext: boolean;
  readonly client: ControlClient;
  /** Before another attempt after a failure: opens a broken tunnel again. */
  revive(): Promise<void>;
  close(): void;
}

export interface ConnectOptions {
  readonly interactive: boolean;
  readonly env: NodeJS.ProcessEnv;
}

export async function connectTo(
  destination: Destination,
  { interactive, env }: ConnectOptions,
): Promise<Connection> {
  const { name, socketPath } = destination;
  if (destination.kind === 'socket') {
    const client = new ControlClient(socketPath);
    return {
      name,
      isContext: false,
      client,
      revive: () => Promise.resolve(),
      close: () => undefined,
    };
  }
  const { Tunnel } = await import('./tunnel.ts');
  const tunnel = new Tunnel({
    url: destination.url,
    remoteSocket: socketPath,
    interactive,
    sshConfig: env['TANDEM_SSH_CONFIG'] || undefined,
  });
  try {
    await tunnel.open();
  } catch (error) {
    tunnel.close();
    throw error;
  }
  return {
    name,
    isContext: true,
    client: new ControlClient(tunnel.socketPath),
    revive: () => tunnel.open(),
    close: () => tunnel.close(),
  };
}
