// The agent of a node: nexus, builder and runner in one process. It may be killed at any time;
// instances live on and the next agent adopts them.
import { toTandemError } from '@tandem/protocol';
import { startAgent } from './agent/agent.ts';
import { AGENT_USAGE, parseAgentOptions } from './agent/options.ts';

async function main(): Promise<void> {
  const options = parseAgentOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(AGENT_USAGE);
    return;
  }
  const stop = new AbortController();
  process.once('SIGTERM', () => stop.abort());
  process.once('SIGINT', () => stop.abort());
  const agent = await startAgent(options, process.env, stop.signal);
  await agent.stopped;
  // Timers and watchers of adopted instances would keep the process alive for nothing.
  process.exit(0);
}

main().catch((thrown: unknown) => {
  const error = toTandemError(thrown);
  process.stderr.write(`agent: ${error.code}: ${error.message}\n`);
  if (error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
  if (error.kind === 'system' && thrown instanceof Error) {
    process.stderr.write(`${thrown.stack ?? ''}\n`);
  }
  process.exit(error.kind === 'user' ? 1 : 70);
});
