// What the instance runs, inside the sandbox and as the cluster's user: the volume is made a
// cluster if it is none yet, the settings are written, the server takes the place of the script.
// Killed at any point it leaves either no cluster or a whole one, and the next start goes on:
//
//   lock            held for as long as any process of the server lives
//   initialising/   scratch of a start under way; the next one deletes it
//   <major>/        the cluster; appears by rename, complete, hardened and synced
//   postgresql.conf, pg_hba.conf, server.crt, server.key   ours; replaced by rename
import { ADMIN_DATABASE, ADMIN_ROLE } from './identifiers.ts';

/** Before anything can reach it: only the superuser may connect to a database that is no app's. */
const HARDEN_SQL = `REVOKE ALL ON DATABASE ${ADMIN_DATABASE}, template1 FROM PUBLIC`;

/** Environment: DATA, CLUSTER, BINARIES, ADMIN_PASSWORD, SERVER_SETTINGS, ACCESS_RULES. */
export const SERVER_SCRIPT = `
umask 077
cd "$DATA"

replace() {
  printf '%s' "$2" > "$1.new"
  sync "$1.new"
  mv -T "$1.new" "$1"
}
replace postgresql.conf "$SERVER_SETTINGS"
replace pg_hba.conf "$ACCESS_RULES"

if [ ! -e server.crt ]; then
  openssl req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 \\
    -subj /CN=postgres.internal -keyout server.key -out server.crt.new 2> openssl.log ||
    { cat openssl.log >&2; exit 1; }
  rm -f openssl.log
  sync server.key server.crt.new
  mv -T server.crt.new server.crt
fi

if [ ! -e "$CLUSTER" ]; then
  rm -rf initialising
  # The C order of text never changes, so an upgrade of the C library cannot corrupt an index.
  printf '%s\\n' "$ADMIN_PASSWORD" | "$BINARIES/initdb" --pgdata=initialising \\
    --username=${ADMIN_ROLE} --pwfile=/dev/stdin --auth=scram-sha-256 --encoding=UTF8 \\
    --locale=C.UTF-8 --data-checksums --no-instructions > /dev/null
  echo '${HARDEN_SQL}' | "$BINARIES/postgres" --single -c exit_on_error=true \\
    -c log_min_messages=fatal -D initialising ${ADMIN_DATABASE} > /dev/null
  echo "include = '$DATA/postgresql.conf'" >> initialising/postgresql.conf
  sync initialising/postgresql.conf
  mv -T initialising "$CLUSTER"
fi
sync .

unset ADMIN_PASSWORD SERVER_SETTINGS ACCESS_RULES
exec "$BINARIES/postgres" -D "$DATA/$CLUSTER"
`;
