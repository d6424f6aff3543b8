// DNS-01 through a command of the operator's: `COMMAND... present NAME VALUE` adds the TXT record
// VALUE to NAME and ends once the authority can see it; `cleanup` with the same takes it away.
import { TandemError } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';
import { CommandFailed, runCommand } from '../../lib/run-command.ts';
import type { Challenge, ChallengeSolver } from '../../ports/certificate-authority.ts';

export interface DnsHookOptions {
  readonly argv: readonly [string, ...string[]];
  readonly timeoutMs?: number;
  /** A record that could not be taken away: nobody waits for that. */
  readonly report: (text: string, error: unknown) => void;
}

const OUTPUT_LENGTH_MAX = 500;
const NEVER = new AbortController().signal;

export function dnsHookSolver(options: DnsHookOptions): ChallengeSolver {
  return {
    kinds: ['dns-01'],
    present: (challenge, signal) => call(options, 'present', challenge, signal),
    cleanup: async (challenge) => {
      await call(options, 'cleanup', challenge, NEVER).catch((error: unknown) => {
        options.report(`a DNS record for ${challenge.host} could not be taken away`, error);
      });
    },
  };
}

async function call(
  { argv, timeoutMs = LIMITS.certificates.hookTimeoutMs }: DnsHookOptions,
  verb: 'present' | 'cleanup',
  challenge: Challenge,
  signal: AbortSignal,
): Promise<void> {
  if (challenge.kind !== 'dns-01') throw new TypeError(`${challenge.kind} is not for a DNS hook`);
  const [file] = argv;
  try {
    await runCommand([...argv, verb, challenge.name, challenge.value], { timeoutMs, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new TandemError('CHALLENGE_NOT_PRESENTED', `${file} ${verb}: ${reasonOf(error)}`, {
      where: challenge.name,
      hint: `Try it by hand: ${file} ${verb} ${challenge.name} VALUE`,
      cause: error,
    });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof CommandFailed)) return (error as Error).message;
  const { exitCode, stderr, stdout } = error.result;
  const said = (stderr.trim() || stdout.trim()).replaceAll(/\s+/g, ' ').slice(-OUTPUT_LENGTH_MAX);
  return `ended with status ${exitCode}${said === '' ? '' : `: ${said}`}`;
}
