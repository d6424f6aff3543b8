// The agent of a node: nexus, builder and runner in one process. It may be killed at any time;
// instances live on and the next agent adopts them.
import { toTandemError } from '@tandem/protocol';
import { startAgent, type RunningAgent } from './agent/agent.ts';
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
  const running: { agent?: RunningAgent } = {};
  // From script/down: end all instances first. One that is still starting leaves that to the sweep.
  process.once('SIGUSR2', () => {
    if (!running.agent) process.exit(0);
    void running.agent.endInstances().finally(() => stop.abort());
  });
  running.agent = await startAgent(options, process.env, stop.signal);
  await running.agent.stopped;
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
