#!/bin/sh
# A platform on a machine with systemd and cgroup v2 alone: builds a disk image, boots it in QEMU
# without KVM and runs inside-virtual-machine.sh there. What is large comes from this checkout and from
# the stacks of this machine. Needs root, mmdebstrap and the network; about ten minutes, 25 at most.
#
#   test/fresh/virtual-machine.sh [SUITE]      bookworm (default) or trixie
set -eu

SUITE=${1:-bookworm}
LIMIT_S=1500
DISK_SIZE=6G
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
STARTED_S=$(date +%s)

main() {
  WORK=$(mktemp -d /var/tmp/tandem-vm-XXXXXX)
  TREE=$WORK/tree
  qemu_pid=
  trap 'clean_up' EXIT
  trap 'exit 130' INT TERM HUP
  "$ROOT/script/bootstrap"
  command -v qemu-system-x86_64 >/dev/null || install_qemu
  make_tree
  make_disk
  boot
}

clean_up() {
  [ -z "$qemu_pid" ] || kill "$qemu_pid" 2>/dev/null || true
  [ ! -e "$WORK/policy" ] || rm -f /usr/sbin/policy-rc.d
  rm -rf --one-file-system "$WORK"
}

# As in script/bootstrap: nothing that is installed gets started.
install_qemu() {
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    touch "$WORK/policy"
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 install -y --no-install-recommends \
    qemu-system-x86
  if [ -e "$WORK/policy" ]; then rm -f /usr/sbin/policy-rc.d "$WORK/policy"; fi
}

# Installing is quick out here, and slow in a machine without KVM.
make_tree() {
  mmdebstrap --quiet --variant=minbase --essential-hook='
      mkdir -p "$1/usr/share/initramfs-tools/modules.d" "$1/etc/initramfs-tools/conf.d"
      printf "virtio_pci\nvirtio_blk\next4\n" >"$1/usr/share/initramfs-tools/modules.d/tandem"
      echo MODULES=list >"$1/etc/initramfs-tools/conf.d/tandem"' \
    --include=apt,ca-certificates,systemd,systemd-sysv,dbus,udev,kmod,initramfs-tools,zstd,linux-image-cloud-amd64 \
    "$SUITE" "$TREE"
  cp /etc/ssl/certs/ca-certificates.crt "$TREE/etc/ssl/certs/ca-certificates.crt"
  cp /etc/resolv.conf "$TREE/etc/resolv.conf"
  cp -a /etc/apt/apt.conf.d/. "$TREE/etc/apt/apt.conf.d/"
  mkdir -p "$TREE/opt/tandem" "$TREE/var/cache/tandem"
  git -C "$ROOT" archive HEAD | tar -xf - -C "$TREE/opt/tandem"
  (cd "$ROOT" && tar -cf - --exclude=bootstrap.log node_modules .tools packages/*/dist) |
    tar -xf - -C "$TREE/opt/tandem"
  cp -a /var/cache/tandem/stacks "$TREE/var/cache/tandem/"
  # Debian's npm is four hundred packages, to fetch what is there already.
  printf '#!/bin/sh\nexit 1\n' >"$TREE/usr/local/bin/npm"
  chmod 755 "$TREE/usr/local/bin/npm"
  unshare --mount --pid --fork --kill-child chroot "$TREE" sh -c '
    mount -t proc proc /proc && /opt/tandem/script/bootstrap'
}

make_disk() {
  cat >"$TREE/etc/systemd/system/tandem-check.service" <<UNIT
[Unit]
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/sh /opt/tandem/test/fresh/inside-virtual-machine.sh
Environment=HOME=/root LANG=C.UTF-8
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
TimeoutStartSec=$LIMIT_S
[Install]
WantedBy=multi-user.target
UNIT
  mkdir -p "$TREE/etc/systemd/system/multi-user.target.wants"
  ln -s ../tandem-check.service "$TREE/etc/systemd/system/multi-user.target.wants/"
  ln -sf /dev/null "$TREE/etc/systemd/system/serial-getty@ttyS0.service"
  printf '[Match]\nName=e*\n[Network]\nDHCP=yes\n' >"$TREE/etc/systemd/network/any.network"
  ln -s /lib/systemd/system/systemd-networkd.service "$TREE/etc/systemd/system/multi-user.target.wants/"
  echo tandem-vm >"$TREE/etc/hostname"
  cp "$TREE"/boot/vmlinuz-* "$WORK/kernel"
  cp "$TREE"/boot/initrd.img-* "$WORK/initrd"
  truncate --size "$DISK_SIZE" "$WORK/disk"
  mkfs.ext4 -q -d "$TREE" "$WORK/disk"
  rm -rf --one-file-system "$TREE"
}

boot() {
  echo "Booting after $(($(date +%s) - STARTED_S)) s."
  : >"$WORK/console"
  timeout --foreground "$LIMIT_S" qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 3072 -cpu max \
    -kernel "$WORK/kernel" -initrd "$WORK/initrd" \
    -append 'root=/dev/vda rw console=ttyS0 quiet loglevel=3 mitigations=off systemd.show_status=no' \
    -drive "file=$WORK/disk,format=raw,if=virtio,cache=unsafe" \
    -nic user,model=virtio-net-pci -display none -monitor none -serial "file:$WORK/console" -no-reboot &
  qemu_pid=$!
  tail -n +1 -f --pid "$qemu_pid" "$WORK/console" &
  wait "$qemu_pid" || echo "The virtual machine was ended after $LIMIT_S s."
  qemu_pid=
  sleep 2
  if ! grep -q '^RESULT good' "$WORK/console"; then
    echo "A platform does not work in a virtual machine with $SUITE." >&2
    exit 1
  fi
  echo "A platform works in a virtual machine with $SUITE: $(($(date +%s) - STARTED_S)) s."
}

main
