#!/bin/sh
# script/bootstrap in a bare Debian or Ubuntu tree: nothing but apt and the base system, in a chroot of
# its own mount and pid namespaces. Needs root and mmdebstrap; about four minutes.
#
#   test/fresh/bootstrap.sh [SUITE]      bookworm (default), trixie, jammy, noble ...
set -eu

. "$(dirname "$0")/bare-tree.sh"

# An administrator's own policy must come back unharmed.
printf '#!/bin/sh\n# the administrator'\''s\nexit 104\n' >"$TREE/usr/sbin/policy-rc.d"
chmod 755 "$TREE/usr/sbin/policy-rc.d"

cat >"$TREE/root/check" <<'CHECK'
set -eu
cd /opt/tandem
mount -t proc proc /proc
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8

if script/bootstrap --check >/root/missing; then echo 'check found nothing missing'; exit 1; fi
grep -q 'package crun' /root/missing
grep -q '^build' /root/missing
script/bootstrap
script/bootstrap --check

started_ms=$(date +%s%3N)
script/bootstrap
took_ms=$(($(date +%s%3N) - started_ms))
echo "Again, with nothing to do: $took_ms ms"
[ "$took_ms" -lt 500 ]

grep -q administrator /usr/sbin/policy-rc.d
[ ! -e /usr/sbin/policy-rc.d.before-tandem ]
for service in nginx dnsmasq; do
  ! find /etc/systemd/system/*.wants /etc/rc?.d -name "S*$service" -o -name "$service.service" 2>/dev/null | grep -q .
done
.tools/node/bin/node -e 'require("zeromq"); if (+process.versions.node.split(".")[0] < 24) process.exit(1)'
.tools/uv/bin/uv --version
for running in /proc/[0-9]*/comm; do
  case $(cat "$running" 2>/dev/null || true) in nginx | dnsmasq) echo "a service was started"; exit 1 ;; esac
done

rm -rf .tools/uv
if setpriv --reuid 1000 --clear-groups script/bootstrap 2>/root/refused; then echo 'ran without root'; exit 1; fi
grep -q 'sudo script/bootstrap' /root/refused
CHECK

unshare --mount --pid --fork --kill-child chroot "$TREE" /bin/sh /root/check
echo "script/bootstrap works in a bare $SUITE."
