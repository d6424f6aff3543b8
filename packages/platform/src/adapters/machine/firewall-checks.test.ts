import { describe, expect, it } from 'vitest';
import { chainsOf, troubleInNft, type NftChain } from './firewall-checks.ts';

const chain = (changes: Partial<NftChain>): NftChain => ({
  family: 'ip',
  table: 'filter',
  name: 'FORWARD',
  hook: 'forward',
  policy: 'accept',
  ...changes,
});

describe('troubleInNft', () => {
  it('is silent about rules that accept', () => {
    expect(troubleInNft([chain({}), chain({ name: 'INPUT', hook: 'input' })])).toEqual([]);
  });

  it('is silent about our own rules', () => {
    const own = chain({ family: 'inet', table: 'tandem_0a1b2c', policy: 'drop' });
    expect(troubleInNft([own])).toEqual([]);
  });

  it('names the chain that drops, and the command', () => {
    const [found] = troubleInNft([chain({ policy: 'drop' })]);
    expect(found).toMatchObject({ state: 'warning', name: 'firewall' });
    expect(found?.detail).toContain('ip filter FORWARD');
    expect(found?.fix).toContain('iptables -I FORWARD -i td+ -j ACCEPT');
  });

  it("uses Docker's chain for Docker's policy", () => {
    const docker: NftChain = { family: 'ip', table: 'filter', name: 'DOCKER-USER' };
    const [found] = troubleInNft([chain({ policy: 'drop' }), docker]);
    expect(found?.fix).toContain('iptables -I DOCKER-USER -i td+');
    expect(found?.fix).toContain('ip6tables -I FORWARD -i td+');
  });

  it('sees that the gateway cannot be asked for names', () => {
    const ufw: NftChain = { family: 'ip', table: 'filter', name: 'ufw-user-input' };
    const [found] = troubleInNft([chain({ name: 'INPUT', hook: 'input', policy: 'drop' }), ufw]);
    expect(found?.fix).toContain('iptables -I ufw-before-input');
    expect(found?.fix).toContain('ip6tables -I ufw6-before-input');
  });

  it('leaves output alone', () => {
    expect(troubleInNft([chain({ name: 'OUTPUT', hook: 'output', policy: 'drop' })])).toEqual([]);
  });

  it('knows firewalld, whose policy is to accept', () => {
    const [found] = troubleInNft([
      chain({ family: 'inet', table: 'firewalld', name: 'filter_INPUT' }),
    ]);
    expect(found?.fix).toContain('firewall-cmd');
  });
});

describe('chainsOf', () => {
  it('takes the chains out of what nft lists', () => {
    const listed = {
      nftables: [{ metainfo: {} }, { table: {} }, { chain: chain({}) }, { rule: {} }],
    };
    expect(chainsOf(JSON.stringify(listed))).toEqual([chain({})]);
  });
});
