import { describe, expect, it } from 'vitest';
import { parseDown, parseUp } from './options.ts';

describe('parseUp', () => {
  it('leaves unsaid what the installation decides', () => {
    const options = parseUp([]);
    expect(options).toMatchObject({ name: 'default', example: true, dataRoot: '/var/lib/tandem' });
    expect(options).not.toHaveProperty('httpPort');
    expect(options).not.toHaveProperty('suffix');
  });

  it('reads every option', () => {
    const args = '--installation t1 --domain Apps.Example --port 9000 --data-root /d --run-root /r';
    expect(parseUp([...args.split(' '), '--sandbox', 'process', '--no-example'])).toMatchObject({
      name: 't1',
      suffix: 'apps.example',
      httpPort: 9000,
      dataRoot: '/d',
      runRoot: '/r',
      sandbox: 'process',
      example: false,
    });
  });

  it('takes a port for HTTPS, or the word that there is none', () => {
    expect(parseUp(['--https-port', '8443']).httpsPort).toBe(8443);
    expect(parseUp(['--https-port', '0']).httpsPort).toBe(0);
    expect(parseUp([])).not.toHaveProperty('httpsPort');
  });

  it.each([
    [['--prot', '80'], '--prot'],
    [['--port', '0'], '"0"'],
    [['--port', '70000'], '"70000"'],
    [['--port', 'x'], '"x"'],
    [['--https-port', '00'], '"00"'],
    [['--https-port', '443x'], '"443x"'],
    [['--domain', 'a..b'], '"a..b"'],
    [['--domain=-a'], '"-a"'],
    [['--sandbox', 'docker'], '"docker"'],
    [['--data-root', 'relative'], '"relative"'],
    [['--data-root', '/a/../b'], '"/a/../b"'],
    [['extra'], 'extra'],
  ])('refuses %j and names it', (args, named) => {
    expect(() => parseUp(args)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
    expect(() => parseUp(args)).toThrow(named);
  });
});

describe('parseDown', () => {
  it('keeps the data unless told otherwise', () => {
    expect(parseDown([]).purge).toBe(false);
    expect(parseDown(['--purge', '--installation', 'x'])).toMatchObject({ purge: true, name: 'x' });
  });
});
