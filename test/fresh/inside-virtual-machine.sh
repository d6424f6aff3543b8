#!/bin/sh
# What virtual-machine.sh runs as a unit of systemd: a platform from up to down, a line for each step.
# Goes on after a step that fails, unless the others need it (`must`).
set -u
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
STEP_LIMIT_S=420
failed=0
cd /opt/tandem

step() { # TITLE COMMAND...
  title=$1
  shift
  started_s=$(date +%s)
  (set -e; "$@") >/root/step.log 2>&1
  status=$?
  if [ $status != 0 ]; then
    sed 's/^/  | /' /root/step.log
    printf 'FAILED  %s (status %d, %d s)\n' "$title" $status $(($(date +%s) - started_s))
    failed=1
    return 1
  fi
  printf 'good    %-50s %4d s\n' "$title" $(($(date +%s) - started_s))
}

must() {
  step "$@" || { show_logs; exit 1; }
}

show_logs() {
  for log in /var/lib/tandem/default/logs/platform/*/current; do
    [ ! -s "$log" ] || { echo "--- $log"; tail -n 15 "$log" | cut -c1-400; }
  done
}

bounded() { timeout "$STEP_LIMIT_S" "$@"; }

pure_cgroup2() {
  [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]
  [ "$(cat /proc/1/comm)" = systemd ]
}

# In a unit of its own: what is started there must outlive it.
up() {
  bounded systemd-run --quiet --wait --pipe --collect --setenv=HOME=/root --unit=tandem-up \
    /opt/tandem/script/up --no-example
}

unit_is_over() {
  ! systemctl is-active --quiet tandem-up
  bounded tandem status
}

make_apps() {
  mkdir -p /root/hello /root/greedy
  cat >/root/hello/app.py <<'APP'
from wsgiref.simple_server import make_server


def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello from a machine with systemd"]


if __name__ == "__main__":
    make_server("0.0.0.0", 8000, app).serve_forever()
APP
  cp /root/hello/app.py /root/greedy/app.py
  echo 'web: python app.py' >/root/hello/Procfile
  echo "web: python -c \"b'x' * (2 << 30)\"" >/root/greedy/Procfile
}

ask() {
  python3 - <<'PY'
import urllib.request
request = urllib.request.Request("http://127.0.0.1:8080/", headers={"Host": "hello.localhost"})
body = urllib.request.urlopen(request, timeout=60).read().decode()
assert "hello from a machine with systemd" in body, body[:200]
PY
}

# The one who runs it sees that it was killed, as in a shell.
run_is_killed() {
  status=0
  bounded tandem run -a hello -- python -c "b'x' * (2 << 30)" || status=$?
  echo "ended with $status"
  [ $status = 137 ]
}

deploy_is_out_of_memory() {
  if bounded tandem deploy /root/greedy -a greedy >/root/greedy.log 2>&1; then
    echo 'took 2 GiB'
    return 1
  fi
  cat /root/greedy.log
  grep -q OUT_OF_MEMORY /root/greedy.log
}

instance() { tandem ps -a hello --json | grep -o '"instanceId": *"[^"]*"'; }

agent_dies() {
  before=$(instance)
  kill -9 "$(s6-svstat -o pid /run/tandem/default/services/agent)"
  bounded sh -c 'until tandem status >/dev/null 2>&1; do sleep 1; done'
  ask
  [ -n "$before" ]
  [ "$before" = "$(instance)" ]
}

nothing_left() {
  for left in /run/netns/td* /sys/class/net/td* /var/lib/tandem/default; do
    if [ -e "$left" ]; then echo "left behind: $left"; return 1; fi
  done
  if find /sys/fs/cgroup -type d -name '*tandem-*' ! -name '*.service' | grep .; then
    echo 'left behind: groups'
    return 1
  fi
  if nft list tables | grep tandem; then echo 'left behind: a table'; return 1; fi
  if grep -E '/(var/lib|run)/tandem/' /proc/self/mounts; then echo 'left behind: mounts'; return 1; fi
  if losetup -n -l -O BACK-FILE | grep tandem/; then echo 'left behind: loop devices'; return 1; fi
  if ps -eo pid,args | grep -E '[c]onmon|[s]6-svscan|[n]ginx|[d]nsmasq|[d]aemons/(agent|balancer)'; then
    echo 'left behind: processes'
    return 1
  fi
}

echo
echo "$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release), Linux $(uname -r), $(crun --version | head -n 1)"
must 'systemd and cgroup v2 alone' pure_cgroup2
step 'script/bootstrap --check' script/bootstrap --check
must 'script/up' up
must 'the supervisor outlives the unit' unit_is_over
step 'tandem doctor' bounded tandem doctor
cat /root/step.log
make_apps
must 'tandem deploy' bounded tandem deploy /root/hello -a hello
step 'an answer through the balancer' ask
step 'tandem run of what is too large' run_is_killed
cat /root/step.log
step 'tandem deploy, out of memory' deploy_is_out_of_memory
cat /root/step.log
step 'tandem ps' bounded tandem ps -a hello
cat /root/step.log
step 'agent killed, instance adopted' agent_dies
step 'script/up again' up
step 'script/down --purge' bounded script/down --purge
step 'nothing is left' nothing_left
[ $failed != 0 ] || echo 'RESULT good'
