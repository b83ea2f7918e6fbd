#!/usr/bin/env bash
# Every check and every test, on a fresh Debian 12 with Rust: installs what the tests need, starts throw-away servers
# on free loopback ports, and stops what it started.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'test.sh: %s\n' "$*" >&2; exit 1; }

command -v cargo >/dev/null || fail "cargo is missing: install Rust (https://rustup.rs), then run this again"

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        fail "this needs root once, to run: $*"
    fi
}

# The newest server that is installed, whichever version Debian brings.
postgres_bin() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n | tail -n 1; }

install_postgres() {
    [ -x "$(postgres_bin)/initdb" ] && return
    say "installing PostgreSQL"
    as_root apt-get update -q
    # The package would start a cluster of its own on the usual port; the tests want none.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql
    [ -x "$(postgres_bin)/initdb" ] || fail "PostgreSQL is missing: apt-get install postgresql did not bring it"
}

# The certified authorization server that tokens are tested against, from its lock file.
install_issuer() {
    local folder=server/tests/oauth/issuer
    command -v node >/dev/null && command -v npm >/dev/null || fail "Node.js 20 or newer with npm is missing: the tests start an OAuth issuer with it"
    [ "$(node --print 'process.versions.node.split(".")[0] >= 20')" = true ] || fail "Node.js $(node --version) is too old: the tests' OAuth issuer needs 20 or newer"
    # Again only when the lock file is another one.
    cmp --silent "$folder/package-lock.json" "$folder/node_modules/.installed" && return
    say "installing the tests' OAuth issuer"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.installed)
}

# The S3 server that images are tested against, built once and kept in target/tools.
install_s3() {
    local version=0.14.1
    target/tools/bin/s3s-fs --version 2>/dev/null | grep -q " $version\$" && return
    say "building the tests' S3 server"
    # Quick to build counts for more than quick to run.
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
        cargo install --locked --quiet --force "s3s-fs@$version" --features binary --root target/tools --target-dir target/tools/build
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null || shuf -i 20000-29999 -n 1; }

# PostgreSQL refuses to run as root.
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

start_postgres() {
    local bin data port
    bin=$(postgres_bin)
    work=$(mktemp -d)
    data=$work/postgres
    mkdir "$data"
    if [ "$(id -u)" = 0 ]; then chmod 755 "$work"; chown postgres "$data"; fi
    port=$(free_port)
    (cd "$data" && as_postgres "$bin/initdb" --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$work/initdb.log") \
        || { cat "$work/initdb.log"; fail "PostgreSQL's initdb failed"; }
    # Durability is not what a throw-away server is for.
    (cd "$data" && as_postgres "$bin/pg_ctl" --pgdata="$data" --log="$data/log" --wait --timeout=60 --silent start -o \
        "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=400 -c shared_buffers=256MB") \
        || { cat "$data/log"; fail "PostgreSQL did not start"; }
    postgres_pid=$(head -n 1 "$data/postmaster.pid")
    export TEST_DATABASE_URL="postgres://postgres@127.0.0.1:$port/postgres"
}

work=
postgres_pid=
stop() {
    [ -n "$postgres_pid" ] && as_postgres kill -INT "$postgres_pid" 2>/dev/null
    for _ in $(seq 50); do kill -0 "${postgres_pid:-0}" 2>/dev/null || break; [ -z "$postgres_pid" ] && break; sleep 0.1; done
    [ -n "$work" ] && rm -rf "$work"
    return 0
}
trap stop EXIT

say "formatting"
cargo fmt --all --check

say "lints"
cargo clippy --workspace --all-targets --locked --quiet -- --deny warnings

install_postgres
install_issuer
install_s3
say "starting a throw-away PostgreSQL"
start_postgres

say "tests"
cargo test --workspace --locked "$@"

say "documentation"
RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --document-private-items --locked --quiet

say "all is well"
