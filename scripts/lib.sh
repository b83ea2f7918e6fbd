# What the scripts share: words to the terminal, what they install, and a throw-away PostgreSQL that ends with the script.

say() { printf '\n== %s\n' "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        fail "this needs root once, to run: $*"
    fi
}

# apt_install WHAT PACKAGES…: installed as Debian has them.
apt_install() {
    say "installing $1"
    shift
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

# The newest server that is installed, whichever version Debian brings.
postgres_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n | tail -n 1; }

install_postgres() {
    [ -x "$(postgres_bin)/initdb" ] && return
    # The package starts a cluster of its own on the usual port; nothing here uses it.
    apt_install PostgreSQL postgresql
    [ -x "$(postgres_bin)/initdb" ] || fail "PostgreSQL is missing: apt-get install postgresql did not bring it"
}

# What traces are sent to: Rotel, an OpenTelemetry collector that is found as a Python package, of which only the program is taken.
# Sets collector.
install_collector() {
    local folder=target/tools/collector
    collector=$PWD/$folder/rotel/rotel-agent
    # Again only when another one is named.
    if ! { [ -x "$collector" ] && cmp --silent scripts/collector.txt "$folder/.installed"; }; then
        python3 -m pip --version >/dev/null 2>&1 || apt_install "Python's pip" python3-pip
        say "fetching an OpenTelemetry collector"
        rm -rf "$folder"
        python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes --requirement scripts/collector.txt \
            --python-version 3.11 --implementation cp --abi cp311 --platform "manylinux_2_34_$(uname -m)" --dest "$folder" \
            || fail "the OpenTelemetry collector is missing: pip download did not bring it"
        python3 -m zipfile --extract "$folder"/rotel-*.whl "$folder"
        rm "$folder"/rotel-*.whl
        chmod +x "$collector"
        cp scripts/collector.txt "$folder/.installed"
    fi
    "$collector" version >/dev/null 2>&1 || apt_install "what the collector needs" libpython3.11
    "$collector" version >/dev/null || fail "the OpenTelemetry collector does not run on this machine"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || shuf -i 20000-29999 -n 1; }

# PostgreSQL refuses to run as root.
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

# A folder for everything that is thrown away; start_postgres and stop_all need it.
work=
postgres_pid=
make_work() {
    work=$(mktemp -d)
    if [ "$(id -u)" = 0 ]; then chmod 755 "$work"; fi
}

# start_postgres "-c name=value …": sets postgres_url and postgres_pid.
start_postgres() {
    local bin data port
    bin=$(postgres_bin)
    data=$work/postgres
    mkdir "$data"
    if [ "$(id -u)" = 0 ]; then chown postgres "$data"; fi
    port=$(free_port)
    (cd "$data" && as_postgres "$bin/initdb" --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$work/initdb.log") \
        || { cat "$work/initdb.log"; fail "PostgreSQL's initdb failed"; }
    (cd "$data" && as_postgres "$bin/pg_ctl" --pgdata="$data" --log="$data/log" --wait --timeout=60 --silent start -o \
        "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= $1") \
        || { cat "$data/log"; fail "PostgreSQL did not start"; }
    postgres_pid=$(head -n 1 "$data/postmaster.pid")
    postgres_url="postgres://postgres@127.0.0.1:$port/postgres"
}

# stop_process PID [SIGNAL]: and waits until it is gone.
stop_process() {
    [ -n "${1:-}" ] || return 0
    kill "-${2:-TERM}" "$1" 2>/dev/null || as_postgres kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
    for _ in $(seq 300); do kill -0 "$1" 2>/dev/null || return 0; sleep 0.1; done
}

stop_all() {
    # A fast shutdown: whoever is connected is sent away.
    stop_process "$postgres_pid" INT
    [ -n "$work" ] && rm -rf "$work"
    return 0
}
