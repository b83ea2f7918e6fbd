#!/usr/bin/env bash
# Measures the service on this machine, on SQLite and on a throw-away PostgreSQL, each figure beside its limit, and
# writes docs/benchmarks.md and the table in README.md. Do nothing else on the machine meanwhile.
#
#   ./scripts/bench.sh                  one million profiles, some 16 minutes besides the build
#   ./scripts/bench.sh --large          ten million besides, some two hours
#   ./scripts/bench.sh --profiles N     another number
#   ./scripts/bench.sh --huge-pages     PostgreSQL's buffers in huge pages, which are reserved for the run (for root)
#   ./scripts/bench.sh --quick          a trial: short loads, 20,000 profiles unless --profiles says otherwise, written
#                                       to target/bench/ only
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

profiles=
tenant=load
large=
quick=
huge_pages=
arguments="$*"
while [ $# -gt 0 ]; do
    case $1 in
        --large) large=yes ;;
        --quick) quick=yes ;;
        --huge-pages) huge_pages=yes ;;
        --profiles) profiles=${2:-}; shift ;;
        *) fail "unknown argument $1: there are --profiles N, --large, --huge-pages and --quick" ;;
    esac
    shift
done
if [ -z "$profiles" ]; then profiles=$([ -n "$quick" ] && echo 20000 || echo 1000000); fi
[[ $profiles =~ ^[1-9][0-9]*$ ]] || fail "--profiles needs a number"
# The rate of patches and of creates, and of the bare statements beside them.
write_rate=300
[ -z "$huge_pages" ] || [ "$(id -u)" = 0 ] || fail "--huge-pages is for root: it sets vm.nr_hugepages"
if [ -n "$quick" ]; then seconds=4; step=4; warmup=1; warm_seconds=4; else seconds=10; step=8; warmup=2; warm_seconds=60; fi
# Well below what either store held on two cores.
warm_rate=2500

command -v cargo >/dev/null || fail "cargo is missing: install Rust (https://rustup.rs), then run this again"
install_postgres
install_collector
command -v pgbench >/dev/null || [ -x "$(postgres_bin)/pgbench" ] || fail "pgbench is missing: apt-get install postgresql-client"
pgbench=$(command -v pgbench || echo "$(postgres_bin)/pgbench")

say "building"
cargo build --release --locked --package n_users --package loadtest
n_users=target/release/n_users
loadtest=target/release/loadtest
baseline=target/release/baseline

service_pid=
bare_pid=
collector_pid=
huge_pages_before=
stop_bench() {
    stop_process "$bare_pid"
    stop_process "$service_pid"
    stop_process "$collector_pid"
    stop_all
    [ -z "$huge_pages_before" ] || sysctl --quiet --write vm.nr_hugepages="$huge_pages_before"
}
trap stop_bench EXIT
make_work
out=target/bench
rm -rf "$out"
mkdir -p "$out"

say "starting a collector of traces"
collector_address=127.0.0.1:$(free_port)
"$collector" start --exporter blackhole --otlp-http-endpoint "$collector_address" --otlp-grpc-endpoint "127.0.0.1:$(free_port)" \
    --pid-file "$work/collector.pid" >"$work/collector.log" 2>&1 &
collector_pid=$!
collector_answers() { kill -0 "$collector_pid" 2>/dev/null && (: >"/dev/tcp/${collector_address/://}") 2>/dev/null; }
for _ in $(seq 100); do collector_answers && break; sleep 0.1; done
collector_answers || { cat "$work/collector.log"; fail "the collector did not start"; }

say "starting a throw-away PostgreSQL"
# Durable, as in production; memory as PostgreSQL advises, a quarter of the machine's, but 4 GB at the most.
buffers_mb=$(awk '/^MemTotal/ { mb = int($2 / 4096); print (mb > 4096 ? 4096 : mb) }' /proc/meminfo)
if [ -n "$huge_pages" ]; then
    huge_page_kb=$(awk '/^Hugepagesize/ { print $2 }' /proc/meminfo)
    huge_pages_before=$(sysctl --values vm.nr_hugepages)
    # What PostgreSQL shares besides its buffers is less than an eighth of them.
    sysctl --quiet --write vm.nr_hugepages=$((huge_pages_before + buffers_mb * 1024 * 9 / 8 / huge_page_kb))
fi
start_postgres "${huge_pages:+-c huge_pages=on }-c fsync=on -c shared_buffers=${buffers_mb}MB -c max_wal_size=8GB -c checkpoint_timeout=15min"
sql() { "$(postgres_bin)/psql" --quiet --no-psqlrc --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$postgres_url" "$@"; }

# start_service STORE URL: on a free port, with a data directory of its own, the access log, metrics, and traces of one request in a hundred.
start_service() {
    service_port=$(free_port)
    mkdir -p "$work/$1"
    "$n_users" --listen "127.0.0.1:$service_port" --metrics-listen 127.0.0.1:0 --otel-exporter-otlp-endpoint "http://$collector_address" \
        --otel-traces-sampler parentbased_traceidratio --otel-traces-sampler-arg 0.01 \
        --data-dir "$work/$1" --database-url "$2" --log info --drain-ms 0 \
        >"$work/$1/out.log" 2>"$work/$1/err.log" &
    service_pid=$!
    for _ in $(seq 600); do
        grep -q 'n_users is ready' "$work/$1/out.log" && return
        kill -0 "$service_pid" 2>/dev/null || { cat "$work/$1/err.log"; fail "the service did not start"; }
        sleep 0.1
    done
    fail "the service did not become ready within a minute"
}

stop_service() { stop_process "$service_pid"; service_pid=; }

# measure STORE NAME ARGUMENTS…: one load on the running service, written under this name. Errors are part of the figures.
measure() {
    local store=$1 name=$2
    shift 2
    say "$store, $name"
    "$loadtest" --target "http://127.0.0.1:$service_port" --data-dir "$work/$store" --tenant "$tenant" --profiles "$profiles" --warmup "${warmup}s" \
        --duration "${seconds}s" --step "${step}s" --json "$folder/$store-$name.json" --html "$folder/$store-$name.html" "$@" \
        || [ $? = 1 ] || fail "$store, $name could not be measured"
}

# warm_up STORE: what was asked before is remembered, and a service that has just started was asked nothing. By a seed of its own, so that
# what follows asks other searches.
warm_up() {
    say "$1, the mix at $warm_rate/s for $warm_seconds s"
    "$loadtest" --target "http://127.0.0.1:$service_port" --data-dir "$work/$1" --tenant "$tenant" --profiles "$profiles" --mix default \
        --rate "$warm_rate" --duration "${warm_seconds}s" --seed 1 --json "$work/warm-up.json" --html "$work/warm-up.html" >/dev/null || [ $? = 1 ] || fail "$1 could not be warmed up"
}

# measure_store STORE URL: fills, then each operation alone, the mix, and the start.
measure_store() {
    local store=$1 url=$2
    say "$store: filling with $profiles profiles"
    mkdir -p "$work/$store"
    "$loadtest" --fill-only --fill-database-url "$url" --tenant "$tenant" --profiles "$profiles"
    start_service "$store" "$url"
    measure "$store" get --mix get --rate 4000
    measure "$store" search --mix search --rate 50
    measure "$store" search-filter --mix search-filter --rate 20
    measure "$store" patch --mix patch --rate "$write_rate"
    measure "$store" create --mix create --rate "$write_rate"
    warm_up "$store"
    measure "$store" limit --mix default --find-limit --rate 1000
    "$n_users" token --tenant "$tenant" --data-dir "$work/$store" >"$work/token"
    stop_service
    say "$store, start to first answer"
    "$baseline" start --listen "127.0.0.1:$service_port" --path "/v1/tenants/$tenant/profiles?limit=1" --token "$work/token" --json "$folder/$store-start.json" -- \
        "$n_users" --listen "127.0.0.1:$service_port" --data-dir "$work/$store" --database-url "$url" --log warn
}

# drive_bare NAME IDS ARGUMENTS…: a bare server, under the load that `get` had.
drive_bare() {
    local name=$1 ids=$2 port
    shift 2
    say "bare server: $name"
    port=$(free_port)
    "$baseline" serve --listen "127.0.0.1:$port" "$@" &
    bare_pid=$!
    "$baseline" drive --target "http://127.0.0.1:$port" --ids "$ids" --rate 4000 --duration "${seconds}s" --json "$folder/baseline-$name.json"
    stop_process "$bare_pid"
    bare_pid=
}

# pgbench_statement STATEMENT NAME ARGUMENTS…
pgbench_statement() {
    local statement=$1 name=$2
    shift 2
    "$baseline" pgbench --program "$pgbench" --database-url "$postgres_url" --database-pid "$postgres_pid" --seconds "$seconds" \
        --script "$work/$statement.sql" --json "$folder/pgbench-$name.json" "$@"
}

# The same rows without our indexes and triggers, and the statements that any directory would have to run on them. As many
# rows are asked for as the load test knows, and they lie as far apart as its own.
measure_bare_postgres() {
    say "bare PostgreSQL"
    local active=$((profiles < 30000 ? profiles : 30000))
    local step=$((profiles / active))
    sql <<SQL
CREATE TABLE bare_profiles AS SELECT * FROM profiles WHERE tenant_name = 'load' LIMIT $profiles;
UPDATE bare_profiles b SET profile_id = lpad(to_hex(n), 32, '0')::uuid
    FROM (SELECT ctid AS place, row_number() OVER (ORDER BY random()) AS n FROM bare_profiles) numbered WHERE b.ctid = place;
VACUUM FULL bare_profiles;
ALTER TABLE bare_profiles ADD PRIMARY KEY (tenant_name, profile_id);
VACUUM (ANALYZE) bare_profiles;
CHECKPOINT;
SQL
    sql --command="SELECT lpad(to_hex(n * $step), 32, '0')::uuid FROM generate_series(1, $active) n ORDER BY random()" >"$work/postgres-ids"
    drive_bare postgres "$work/postgres-ids" --postgres "$postgres_url"
    cat >"$work/select.sql" <<SQL
\\set n $step * random(1, $active)
SELECT * FROM bare_profiles WHERE tenant_name = 'load' AND profile_id = lpad(to_hex(:n::bigint), 32, '0')::uuid;
SQL
    cat >"$work/update.sql" <<SQL
\\set n $step * random(1, $active)
UPDATE bare_profiles SET city_id = 'city-' || :n, updated_at = :n, version = version + 1
    WHERE tenant_name = 'load' AND profile_id = lpad(to_hex(:n::bigint), 32, '0')::uuid;
SQL
    cat >"$work/insert.sql" <<SQL
\\set n random(1, 1000000000)
INSERT INTO bare_profiles VALUES ('load', gen_random_uuid(), 'default', 'auth0|' || :n, 'Ada Lovelace', 'female', 'ada' || :n || '@example.com',
    '+442079460958', '1990-12-10', 'LON', 'GB', '12 Main Street, London', 51.5, -0.1, NULL, '{"plan":"pro","seats":12}', true, 'load', 'load',
    NULL, :n, :n, NULL, 1, 'ada lovelace', 'ada' || :n || '@example.com', ' ada lovelace ada' || :n || ' example com london',
    '{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40}');
SQL
    pgbench_statement select select
    pgbench_statement update update
    pgbench_statement insert insert
    # At the service's rate: of few statements a second each wakes a session, and has a flush of its own.
    pgbench_statement update update-paced --rate "$write_rate"
    pgbench_statement insert insert-paced --rate "$write_rate"
    sql --command="DROP TABLE bare_profiles"
}

measure_bare_sqlite() {
    say "bare SQLite"
    "$baseline" sqlite --from "$work/sqlite/n_users.db" --file "$work/bare.db" --ids "$work/sqlite-ids" --seconds 3 --json "$folder/bare-sqlite.json"
    drive_bare sqlite "$work/sqlite-ids" --sqlite "$work/bare.db"
    drive_bare constant "$work/sqlite-ids" --constant
}

revision() { git rev-parse --short HEAD 2>/dev/null || echo unknown; }

about() {
    local cpu
    cpu=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    cat <<ABOUT
| | |
|---|---|
| when | $(date --utc +%Y-%m-%d) |
| command | \`./scripts/bench.sh${arguments:+ $arguments}\` |
| machine | $(nproc) × ${cpu:-unknown}, $(awk '/^MemTotal/ { print int($2 / 1048576 + 0.5) }' /proc/meminfo) GiB, Linux $(uname -r); load before it began: $load_before |
| n_users | $(revision)$(git diff --quiet 2>/dev/null || echo ', with changes') |
| Rust | $(rustc --version | cut -d' ' -f2) |
| PostgreSQL | $(sql --command='SHOW server_version'), fsync on, shared_buffers ${buffers_mb} MB${huge_pages:+ in huge pages}, by TCP on loopback |
| profiles | $profiles, 64 connections, 1,000 tokens, each load ${seconds} s; the limit of the mix is sought after ${warm_seconds} s of it at $warm_rate/s |
ABOUT
}

load_before=$(cut -d' ' -f1 /proc/loadavg)
folder=$out
measure_store postgres "$postgres_url"
measure_bare_postgres
measure_store sqlite "sqlite://$work/sqlite/n_users.db"
measure_bare_sqlite
about >"$out/about.md"

if [ -n "$large" ]; then
    profiles=10000000
    warm_rate=800
    # Another tenant, because an empty one is filled by COPY.
    tenant=load-large
    folder=$out/large
    mkdir -p "$folder"
    echo "Ten million profiles (of $(revision))" >"$folder/title"
    measure_store postgres "$postgres_url"
    measure_store sqlite "sqlite://$work/sqlite/n_users.db"
fi

if [ -n "$quick" ]; then
    "$baseline" report "$out" >"$out/benchmarks.md"
    say "a trial only, written to $out/benchmarks.md"
    exit 0
fi
"$baseline" report "$out" >"$work/benchmarks.md"
# What took two hours is kept until it is measured again.
[ -n "$large" ] || { echo; sed -n '/^## Ten million/,$p' docs/benchmarks.md; } >>"$work/benchmarks.md"
cp "$work/benchmarks.md" docs/benchmarks.md
"$baseline" report "$out" --aims-only >"$work/aims.md"
awk -v aims="$work/aims.md" '
    /<!-- aims: written by scripts\/bench.sh -->/ { print; while ((getline line < aims) > 0) print line; skip = 1; next }
    /<!-- end of aims -->/ { skip = 0 }
    !skip { print }' README.md >"$work/README.md"
cp "$work/README.md" README.md
say "written: docs/benchmarks.md and the table in README.md; each load as a page in $out"
