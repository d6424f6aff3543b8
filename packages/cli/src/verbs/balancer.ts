// `tandem balancer`: only the balancer of the platform, by a file, on this machine.
import type { Options, Term, Verb } from '../verb.ts';

/** As the daemon has them; a test keeps both in step. */
const OPTIONS: readonly Term[] = [
  ['--listen <address:port...>', 'where to listen; IPv6 in brackets, [::]:80 for both families'],
  ['--listen-tls <address:port...>', 'the same for HTTPS, HTTP/2 among it'],
  ['--certificate <file...>', 'with its chain, PEM; the first also for names of no other'],
  ['--key <file...>', 'of that certificate; without: self-signed for *.localhost'],
  ['--listen-fd <n...>', 'a listening socket that is inherited (systemd: 3)'],
  ['--routes <file>', 'hosts, paths and where they lead; followed when it changes'],
  ['--check', 'say what is wrong with the file and exit, with 1 when something is'],
  ['--workers <n>', 'processes that serve; default: one per core'],
  ['--access-log <where>', 'a file, "-" for stdout (default), or "off": a JSON line per request'],
  ['--trusted-peer <cidr...>', 'believe X-Forwarded-* of these peers'],
  ['--proxy-protocol', 'each connection begins with a PROXY header of a trusted peer'],
  ['--hash-password', 'read a password from stdin and print its hash, for a policy of the file'],
  ['--user <name>', 'what the workers run as when it is started as root'],
];

export const balancer: Verb = {
  name: 'balancer',
  summary: 'Run only a balancer on this machine, without apps, by a file of routes.',
  scope: 'none',
  options: OPTIONS,
  examples: [
    'tandem balancer --listen 127.0.0.1:8080 --routes routes.json',
    'tandem balancer --check --routes routes.json',
  ],
  async run({ session, options }) {
    const { becomeDaemon } = await import('../platform-daemon.ts');
    becomeDaemon('standalone-balancer', argvOf(options), session.io.env);
  },
};

function argvOf(options: Options): string[] {
  return OPTIONS.flatMap(([syntax]) => {
    const flag = syntax.split(' ')[0] ?? '';
    const value = options[camelCase(flag.slice(2))];
    if (value === undefined || value === false) return [];
    if (value === true) return [flag];
    // With `=`, so that a value that begins with a dash stays one.
    return [value].flat().map((one) => `${flag}=${one}`);
  });
}

const camelCase = (name: string): string =>
  name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
