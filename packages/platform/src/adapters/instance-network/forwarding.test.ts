import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { disableForwarding, enableForwarding, type ForwardingPlaces } from './forwarding.ts';

describe('forwarding', () => {
  let root: string;
  let places: ForwardingPlaces;
  const sysctl = (key: string): string => join(places.sysctlDirectory, key);
  const read = async (key: string): Promise<string> => (await readFile(sysctl(key), 'utf8')).trim();
  async function write(key: string, value: string): Promise<void> {
    await mkdir(dirname(sysctl(key)), { recursive: true });
    await writeFile(sysctl(key), `${value}\n`);
  }
  const ipv4 = 'net/ipv4/ip_forward';
  const ipv6 = 'net/ipv6/conf/all/forwarding';
  const advertised = 'net/ipv6/conf/eth0/accept_ra';

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'tandem-forwarding-'));
    places = { stateDirectory: join(root, 'state'), sysctlDirectory: join(root, 'sys') };
    await write(ipv4, '0');
    await write(ipv6, '0');
    await write(advertised, '1');
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  it('is turned on, and put back as it was', async () => {
    await enableForwarding('a', ['eth0'], places);
    expect([await read(ipv4), await read(ipv6), await read(advertised)]).toEqual(['1', '1', '2']);
    await disableForwarding('a', places);
    expect([await read(ipv4), await read(ipv6), await read(advertised)]).toEqual(['0', '0', '1']);
  });

  it('leaves on what was on before', async () => {
    await write(ipv4, '1');
    await enableForwarding('a', [], places);
    await disableForwarding('a', places);
    expect([await read(ipv4), await read(ipv6)]).toEqual(['1', '0']);
  });

  it('stays on until the last installation goes, in whatever order', async () => {
    await enableForwarding('a', [], places);
    await enableForwarding('b', [], places);
    await enableForwarding('a', [], places);
    await disableForwarding('a', places);
    expect(await read(ipv4)).toBe('1');
    await disableForwarding('b', places);
    expect(await read(ipv4)).toBe('0');
  });

  it('remembers the first state when something turns it off in between', async () => {
    await enableForwarding('a', [], places);
    await write(ipv4, '0');
    await enableForwarding('a', [], places);
    expect(await read(ipv4)).toBe('1');
    await disableForwarding('a', places);
    expect(await read(ipv4)).toBe('0');
  });

  it('is no error when nothing was turned on, or the interface has gone', async () => {
    await disableForwarding('never', places);
    await enableForwarding('a', ['eth0'], places);
    await rm(dirname(sysctl(advertised)), { recursive: true });
    await disableForwarding('a', places);
    expect(await read(ipv4)).toBe('0');
  });

  it('holds against installations that come and go at once', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((id) => enableForwarding(id, ['eth0'], places)));
    await Promise.all(['a', 'b', 'c'].map((id) => disableForwarding(id, places)));
    expect(await read(ipv4)).toBe('1');
    await disableForwarding('d', places);
    expect([await read(ipv4), await read(advertised)]).toEqual(['0', '1']);
  });
});
