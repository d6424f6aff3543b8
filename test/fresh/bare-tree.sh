# Makes a bare Debian or Ubuntu tree with the source of this checkout: sourced by the tests beside it.
# Sets SUITE, ROOT and TREE; the tree goes when the shell ends.
SUITE=${1:-bookworm}
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
WORK=$(mktemp -d /var/tmp/tandem-fresh.XXXXXX)
TREE=$WORK/tree
trap 'rm -rf --one-file-system "$WORK"' EXIT
trap 'exit 130' INT TERM

# The keys of the other distribution may be missing here; the tree is thrown away after the test.
case $SUITE in
  jammy | noble | plucky | questing)
    set -- "deb [trusted=yes] http://archive.ubuntu.com/ubuntu $SUITE main universe" ;;
  *) set -- ;;
esac
mmdebstrap --quiet --variant=minbase --include=apt,ca-certificates "$SUITE" "$TREE" "$@"

# How this machine reaches the registries: names, trusted certificates, mirrors, npm's settings.
cp /etc/resolv.conf /etc/hosts "$TREE/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$TREE/etc/ssl/certs/ca-certificates.crt"
cp -a /etc/apt/apt.conf.d/. "$TREE/etc/apt/apt.conf.d/"
[ ! -e "$HOME/.npmrc" ] || cp "$HOME/.npmrc" "$TREE/root/.npmrc"

# The committed state and what is not committed yet, without build output.
mkdir -p "$TREE/opt/tandem"
(cd "$ROOT" && git ls-files --cached --others --exclude-standard -z | tar --null --ignore-failed-read -T - -cf -) |
  tar -xf - -C "$TREE/opt/tandem"
