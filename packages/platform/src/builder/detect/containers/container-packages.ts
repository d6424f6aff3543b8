// Packages of the system that a Dockerfile installs and that the app may need while it runs. Tools for
// building, for looking around inside and other people's servers are left out; so is what the file
// takes away again.
import { detected, finding, type Detected } from '../evidence.ts';
import { shellText } from './compose-file.ts';
import { jsonWords, type ContainerImage } from './container-image.ts';
import { assignments, type Instruction } from './dockerfile.ts';
import { interpolate } from './interpolation.ts';
import { shellSteps } from './shell-steps.ts';

export interface WishedPackage {
  readonly name: string;
  /** `file:line` */
  readonly evidence: string;
}

/** A name of Debian Policy 5.6.1, and the version, release or architecture behind it. */
const SPECIFIED = /^([a-z0-9][a-z0-9+.-]+)(?:[=:/][\w.*+~:-]*)?$/;
const WITH_VALUE = new Set(['-t', '-o', '-c', '--target-release', '--option']);
const FOR_BUILDING =
  /-(dev|dbg|dbgsym|doc)$|^(build-essential|gcc|g\+\+|clang|cpp|make|cmake|ninja-build|meson|autoconf|automake|libtool|bison|flex|swig|pkg-config|pkgconf|patch|patchelf|rustc|cargo|golang|llvm|dpkg-dev|devscripts|debhelper|nasm|yasm|gfortran)(-[\w.]+)?$/;
const TOOLS =
  /^(git|git-core|git-lfs|mercurial|subversion|curl|wget|nano|vim|vim-tiny|emacs|less|procps|htop|tree|jq|rsync|file|sudo|gosu|su-exec|tini|dumb-init|screen|tmux|zsh|bash|bash-completion|man-db|make|zip|unzip|bzip2|xz-utils|tar|gzip|p7zip-full|ca-certificates|locales|locales-all|tzdata|netbase|gnupg|gnupg1|gnupg2|gpg|gpg-agent|dirmngr|lsb-release|software-properties-common|apt-utils|apt-transport-https|debian-\S+|net-tools|iproute2|iputils-ping|dnsutils|telnet|lsof|strace|gdb|pwgen|acl|util-linux|coreutils|findutils|adduser|passwd|expect|inotify-tools|entr|direnv|shellcheck|netcat\S*|ncat|nmap|socat|tcpdump|groff|gettext-base|dos2unix|media-types|poedit|wait-for-it|sqlite3|rclone|mime-support|apparmor|fakeroot)$/;
const OTHER_RUNTIMES =
  /^(python|pypy|idle)\S*|^lib(python|pypy)\S*|^(pip|pipx|poetry|virtualenv|node|nodejs|npm|yarn|yarnpkg|ruby\S*|php\S*|perl)$/;
const SERVERS =
  /^(nginx|apache2|lighttpd|caddy|haproxy|varnish|redis|valkey|memcached|rabbitmq|mysql|mariadb|postgresql|mongodb|elasticsearch|openssh|supervisor|runit|s6|monit|cron|anacron|systemd|sysvinit|docker|containerd|postfix|exim4|ssh|sshpass|tor|certbot|awscli|rsyslog|logrotate|fail2ban)(-\S+)?$/;
/** Hundreds of megabytes: said, not installed. */
const LARGE =
  /^(texlive|chromium|firefox|libreoffice|openjdk|default-jre|default-jdk|google-chrome|xvfb|r-base|octave|qt5|qt6|kde|gnome)\S*/;
const BUILD_VARIABLE = /BUILD|DEV|COMPILE/i;
const PACKAGES_MAX = 60;

export function containerPackages(image: ContainerImage): Detected<readonly WishedPackage[]> {
  const { instructions, builders, path } = image;
  const all = [...builders, ...instructions];
  const installed = new Map<string, string>();
  for (const instruction of all.filter(({ name }) => name === 'RUN')) {
    const values = valuesBefore(all, instruction);
    const evidence = `${path}:${instruction.line}`;
    for (const name of namesOf(instruction.text, 'install', values)) installed.set(name, evidence);
    for (const name of namesOf(instruction.text, 'remove', values)) installed.delete(name);
  }
  const names = [...installed].filter(([name]) => isForRunning(name));
  const large = names.filter(([name]) => LARGE.test(name));
  const wanted = names.filter(([name]) => !LARGE.test(name)).slice(0, PACKAGES_MAX);
  const wish = JSON.stringify(large.map(([name]) => name));
  const said = large.map(([name, evidence]) =>
    finding(
      'system packages',
      `without ${name}`,
      `large; if your app needs it: [packages] apt = ${wish} in tandem.toml`,
      evidence,
    ),
  );
  return detected(
    wanted.map(([name, evidence]) => ({ name, evidence })),
    ...said,
  );
}

function isForRunning(name: string): boolean {
  return ![FOR_BUILDING, TOOLS, OTHER_RUNTIMES, SERVERS].some((pattern) => pattern.test(name));
}

/** ARG and ENV that stand before; both are variables of the shell. */
function valuesBefore(all: readonly Instruction[], one: Instruction): ReadonlyMap<string, string> {
  const before = all
    .slice(0, all.indexOf(one))
    .filter(({ name }) => name === 'ARG' || name === 'ENV');
  return new Map(before.flatMap(({ text }) => assignments(text)));
}

function namesOf(
  text: string,
  verb: 'install' | 'remove',
  before: ReadonlyMap<string, string>,
): string[] {
  const values = new Map(before);
  return shellSteps(shellOf(text)).flatMap(({ words }) => {
    for (const word of words) {
      const [, name, value] = /^([A-Za-z_]\w*)=([^]*)$/.exec(word) ?? [];
      if (name !== undefined && value !== undefined) values.set(name, value);
    }
    const at = words.findIndex((word) =>
      /(^|\/)(apt-get|apt|aptitude|install_packages)$/.test(word),
    );
    const program = words[at] ?? '';
    const found = program.endsWith('install_packages')
      ? verb === 'install'
      : words.slice(at + 1).some((word) => verbs(verb).includes(word));
    return at < 0 || !found ? [] : packagesIn(words.slice(at + 1), values);
  });
}

/** Of `RUN`: its own flags left out, a list as the command that it is. */
function shellOf(text: string): string {
  const command = text.replace(/^(?:--\S+\s+)+/, '');
  const words = jsonWords(command);
  return words === undefined ? command : shellText(words);
}

function verbs(verb: 'install' | 'remove'): string[] {
  return verb === 'install' ? ['install'] : ['remove', 'purge', 'autoremove'];
}

function packagesIn(words: readonly string[], values: ReadonlyMap<string, string>): string[] {
  return words.flatMap((word, index) => {
    if (word.startsWith('-') || WITH_VALUE.has(words[index - 1] ?? '')) return [];
    const variable = /^\$\{?(\w+)\}?$/.exec(word)?.[1];
    if (variable !== undefined && BUILD_VARIABLE.test(variable)) return [];
    const { text, isFixed } = interpolate(word, values);
    if (!isFixed) return [];
    return text
      .split(/\s+/)
      .flatMap((one) => SPECIFIED.exec(one)?.[1] ?? [])
      .filter((one) => !verbs('install').concat(verbs('remove')).includes(one));
  });
}
