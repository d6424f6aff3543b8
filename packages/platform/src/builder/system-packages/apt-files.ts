// What apt is told, and the commands that run in the sandbox of an installation of packages. Nothing
// in it is root: ownership is pretended by fakeroot, and the archive's signatures are checked by apt.

/** Paths inside; the work directory is mounted at /build. */
export const APT_CONF = '/build/apt.conf';

/** Written to directories that stay out of the layer: what only managing packages needs. */
const LEFT_OUT = [
  ...['passwd', 'group', 'shadow', 'gshadow', 'subuid', 'subgid'].flatMap((name) => [
    `/etc/${name}`,
    `/etc/${name}-`,
  ]),
  ...['hosts', 'hostname', 'resolv.conf', 'nsswitch.conf'].map((name) => `/etc/${name}`),
  '/usr/sbin/policy-rc.d',
  '/var/cache/*',
  '/var/lib/apt/*',
  '/var/lib/dpkg/info*',
  '/var/lib/dpkg/lock*',
  '/var/lib/dpkg/*-old',
  '/var/lib/dpkg/triggers*',
  '/var/lib/dpkg/updates*',
  '/var/log/*',
  '/var/tmp/*',
];

const UNREAD = ['doc', 'info', 'locale', 'man', 'lintian', 'bug'];

export function aptConf(): string {
  return [
    'Dir::State "/build/apt/state";',
    'Dir::State::status "/var/lib/dpkg/status";',
    'Dir::Cache "/build/apt/cache";',
    'Dir::Etc "/build/apt/etc";',
    'Dir::Etc::sourcelist "/build/sources.list";',
    'Dir::Log "/build/apt/log";',
    'APT::Install-Recommends "false";',
    // A mirror that fails is an error, not a reason to look into an empty list.
    'APT::Update::Error-Mode "any";',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    'Acquire::http::Timeout "30";',
    'Acquire::https::Timeout "30";',
    'Debug::NoLocking "true";',
    'DPkg::Use-Pty "false";',
    'DPkg::Options:: "--force-unsafe-io";',
    'DPkg::Options:: "--force-confnew";',
    ...UNREAD.map((name) => `DPkg::Options:: "--path-exclude=/usr/share/${name}/*";`),
    '',
  ].join('\n');
}

/** What there is. Arguments: names. */
export const LOOK_UP = `
cd /build
mkdir -p apt/etc apt/log apt/state/lists/partial apt/cache/archives/partial tree layer
apt-get -q update
# Names that do not exist make it fail; that is told with what comes near.
apt-cache madison "$@" >versions.txt || true
apt-cache pkgnames >names.txt`;

const INSTALL_ARGS = '-q -y --no-remove --allow-downgrades';

/**
 * Fetches, and copies the stack to where the build may change it. Files that get a later time of
 * change than the stamp are the layer. Arguments: packages of apt-get.
 */
export const DOWNLOAD = `
cd /build
apt-get ${INSTALL_ARGS} --download-only install "$@"
cp -a --no-preserve=ownership /usr /etc /var tree/
cp tree/usr/share/base-passwd/passwd.master tree/etc/passwd
cp tree/usr/share/base-passwd/group.master tree/etc/group
mkdir -p tree/var/lib/dpkg/info tree/var/cache tree/var/log tree/var/lib/apt
echo 1 >tree/var/lib/dpkg/info/format
dpkg-query -W -f='\${binary:Package}\\n' | while read -r name; do
  : >"tree/var/lib/dpkg/info/$name.list"
done
printf '#!/bin/sh\\nexit 101\\n' >tree/usr/sbin/policy-rc.d
chmod 755 tree/usr/sbin/policy-rc.d
sleep 0.1
touch stamp
sleep 0.1`;

/**
 * Without network, on the copy: maintainer scripts run as they would on Debian, so alternatives,
 * caches and configuration are as programs expect them. The stack's own scripts are not there any
 * more, hence ldconfig by hand.
 */
export const INSTALL = `
cd /build
fakeroot -- apt-get ${INSTALL_ARGS} --no-download install "$@"
ldconfig
find /usr /etc /var -xdev -cnewer stamp ${LEFT_OUT.map((path) => `! -path '${path}'`).join(' ')} \\
  -print0 >changed
tar --null --no-recursion --files-from changed -cf - 2>/dev/null | tar -C layer -xf -`;

export const INSTALL_ENV = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  APT_CONFIG: APT_CONF,
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
};
