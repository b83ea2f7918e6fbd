#!/usr/bin/env bash
# Every check and every test, on a fresh Debian 12 with Rust: installs what the tests need, starts throw-away servers
# on free loopback ports, and stops what it started.
set -euo pipefail
cd "$(dirname "$0")/.."

. scripts/lib.sh

command -v cargo >/dev/null || fail "cargo is missing: install Rust (https://rustup.rs), then run this again"

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

trap stop_all EXIT

say "formatting"
cargo fmt --all --check

say "lints"
cargo clippy --workspace --all-targets --locked --quiet -- --deny warnings

install_postgres
install_issuer
install_s3
say "starting a throw-away PostgreSQL"
make_work
# Durability is not what a throw-away server is for.
start_postgres "-c fsync=off -c max_connections=400 -c shared_buffers=256MB"
export TEST_DATABASE_URL=$postgres_url

say "tests"
cargo test --workspace --locked "$@"

say "documentation"
RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --document-private-items --locked --quiet

say "all is well"
