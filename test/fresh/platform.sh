#!/bin/sh
# A whole platform on a bare Debian or Ubuntu: script/up alone, with the example site on PostgreSQL, a
# deploy, the death of the agent, script/down. In a chroot, so with that system's programs on this
# machine's kernel. Needs root, mmdebstrap and the network; about six minutes. Not beside an installation
# of this machine: each would not know of the other.
#
#   test/fresh/platform.sh [SUITE]       bookworm (default), trixie, jammy, noble ...
set -eu
. "$(dirname "$0")/bare-tree.sh"

cat >"$TREE/root/check" <<'CHECK'
set -eu
cd /opt/tandem
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
NAME=fresh
PORT=8951

trap 'script/down --installation "$NAME" --purge' EXIT
script/up --installation "$NAME" --port "$PORT"
tandem() { .tools/node/bin/node packages/cli/dist/tandem.js --installation "$NAME" "$@"; }
ask() { # HOST TEXT
  python3 - "$1" "$2" "$PORT" <<'PY'
import sys, urllib.request
host, text, port = sys.argv[1:]
request = urllib.request.Request("http://127.0.0.1:%s/" % port, headers={"Host": host})
body = urllib.request.urlopen(request, timeout=30).read().decode()
sys.exit(0 if text in body else "%s said %r" % (host, body[:200]))
PY
}
ask guestbook.localhost Guestbook

mkdir /root/hello
cat >/root/hello/app.py <<'APP'
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello from a bare system"]
APP
tandem deploy /root/hello -a hello
ask hello.localhost 'hello from a bare system'

before=$(tandem ps -a hello --json)
kill -9 "$(s6-svstat -o pid /run/tandem/$NAME/services/agent)"
until tandem status >/dev/null 2>&1; do sleep 0.2; done
ask hello.localhost 'hello from a bare system'
instance() { grep -o '"instanceId": *"[^"]*"'; }
[ "$(echo "$before" | instance)" = "$(tandem ps -a hello --json | instance)" ]

# What is too large is said to be.
if tandem run -a hello -- python -c 'b"x" * (2 << 30)'; then echo 'took 2 GiB'; exit 1; fi
tandem doctor || true

trap - EXIT
script/down --installation "$NAME" --purge
for left in /run/netns/td* /sys/class/net/td* /sys/fs/cgroup/tandem-* /sys/fs/cgroup/*/tandem-*; do
  if [ -e "$left" ]; then echo "left behind: $left"; exit 1; fi
done
if nft list tables | grep tandem_; then echo 'left behind: a table'; exit 1; fi
if grep -E '/(var/lib|run)/tandem/' /proc/self/mounts; then echo 'left behind: mounts'; exit 1; fi
CHECK

mkdir -p "$TREE/sys" "$TREE/dev"
# Its root must be a mount of its own: whoever makes a mount namespace in there changes it.
unshare --mount --pid --fork --kill-child sh -c '
  mount --bind "$1" "$1" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" && exec chroot "$1" /bin/sh /root/check
' sh "$TREE"
echo "A platform works on a bare $SUITE."
