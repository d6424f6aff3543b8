// Other firewalls on the machine. A packet passes only when every one of them accepts it, so a
// policy of dropping in Docker's, ufw's or firewalld's rules cuts apps off, whatever ours say.
import { readFile } from 'node:fs/promises';
import { runCommand, runToExit } from '../../lib/run-command.ts';
import { ok, warning, type Check } from './check.ts';

const TIMEOUT_MS = 10_000;
const OWN_TABLE = /^tandem_[0-9a-f]+$/;
/** All our interfaces: `td` and the slot. */
const OURS = 'td+';

export interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

export async function findFirewallTrouble(): Promise<Check[]> {
  const listing = ['nft', '--json', 'list', 'ruleset'] as const;
  const { stdout } = await runCommand([...listing], { timeoutMs: TIMEOUT_MS });
  const found = [...troubleInNft(chainsOf(stdout)), ...(await troubleInLegacy())];
  return found.length > 0 ? found : [ok('firewall', 'no other rules drop what apps send or get')];
}

export function chainsOf(rulesetJson: string): NftChain[] {
  const { nftables } = JSON.parse(rulesetJson) as { nftables: { chain?: NftChain }[] };
  return nftables.flatMap((entry) => (entry.chain ? [entry.chain] : []));
}

/** `input` counts too: there instances ask the gateway for names. */
export function troubleInNft(chains: readonly NftChain[]): Check[] {
  const foreign = chains.filter((chain) => !OWN_TABLE.test(chain.table));
  const trouble: Check[] = [];
  for (const { family, table, name, hook, policy } of foreign) {
    if (policy !== 'drop' || (hook !== 'forward' && hook !== 'input')) continue;
    const fix = fixFor(foreign, hook);
    const place = `nft chain ${family} ${table} ${name}`;
    trouble.push(warning('firewall', `${place} drops what it does not accept (${hook})`, fix));
  }
  // firewalld's policy is to accept, and its last rule to reject.
  if (foreign.some(({ table }) => table === 'firewalld')) {
    trouble.push(warning('firewall', 'firewalld rejects what no zone accepts', FIREWALLD_FIX));
  }
  return trouble;
}

const FIREWALLD_FIX =
  'firewall-cmd --permanent --zone=trusted --add-source=100.64.0.0/10 && firewall-cmd --reload';

function fixFor(chains: readonly NftChain[], hook: 'forward' | 'input'): string {
  const names = new Set(chains.map(({ name }) => name));
  if (hook === 'input') {
    const port = names.has('ufw-user-input') ? 'ufw-before-input' : 'INPUT';
    return `iptables -I ${port} -i ${OURS} -j ACCEPT; ip6tables -I ${port.replace('ufw-', 'ufw6-')} -i ${OURS} -j ACCEPT`;
  }
  const chain = names.has('DOCKER-USER') ? 'DOCKER-USER' : 'FORWARD';
  const allow = (program: string): string =>
    `${program} -I ${chain} -i ${OURS} -j ACCEPT; ${program} -I ${chain} -o ${OURS} -j ACCEPT`;
  return `${allow('iptables')}; ${allow('ip6tables').replaceAll('DOCKER-USER', 'FORWARD')}`;
}

/** Rules of the old interface are invisible to nft. Its tables exist once something used them. */
async function troubleInLegacy(): Promise<Check[]> {
  const trouble: Check[] = [];
  for (const [names, program] of [
    ['/proc/net/ip_tables_names', 'iptables-legacy'],
    ['/proc/net/ip6_tables_names', 'ip6tables-legacy'],
  ] as const) {
    const tables = await readFile(names, 'utf8').catch(() => '');
    if (!tables.includes('filter')) continue;
    const listed = await runToExit([program, '-S'], { timeoutMs: TIMEOUT_MS }).catch(
      () => undefined,
    );
    for (const chain of ['FORWARD', 'INPUT']) {
      if (!listed?.stdout.includes(`-P ${chain} DROP`)) continue;
      const fix = `${program} -I ${chain} -i ${OURS} -j ACCEPT`;
      trouble.push(warning('firewall', `${program}: policy of ${chain} is DROP`, fix));
    }
  }
  return trouble;
}
