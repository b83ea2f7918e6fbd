#!/usr/bin/env bash
# Every check and every test, on a fresh Debian 12 with Rust: installs what the tests need, starts throw-away servers
# on free loopback ports, and stops what it started. With --coverage the tests tell which lines they ran, and
# docs/coverage.md is written; other arguments are those of `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/.."

. scripts/lib.sh

coverage=
rest=()
for argument in "$@"; do
    if [ "$argument" = --coverage ]; then coverage=yes; else rest+=("$argument"); fi
done

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

has_llvm_tools() { ls "$(rustc --print sysroot)"/lib/rustlib/*/bin/llvm-profdata >/dev/null 2>&1; }

# build_tool NAME VERSION ARGUMENTS…: a program of crates.io, once, into target/tools. Quick to build counts for more than quick to run.
build_tool() {
    local name=$1 version=$2 subcommand=
    shift 2
    # A subcommand of cargo is told its own name.
    case $name in cargo-*) subcommand=${name#cargo-} ;; esac
    "target/tools/bin/$name" $subcommand --version 2>/dev/null | grep -q " $version\$" && return
    say "building $name"
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
        cargo install --locked --quiet --force "$name@$version" --root target/tools --target-dir target/tools/build "$@"
}

# The S3 server that images are tested against.
install_s3() { build_tool s3s-fs 0.14.1 --features binary; }

# Prometheus and its promtool, which the metrics are read by. Unpacked, not installed: the package would start a server of its own on
# the usual port.
install_prometheus() {
    local folder=target/tools/prometheus
    export TEST_PROMETHEUS=$PWD/$folder/usr/bin
    [ -x "$TEST_PROMETHEUS/prometheus" ] && [ -x "$TEST_PROMETHEUS/promtool" ] && return
    say "fetching Prometheus"
    rm -rf "$folder"
    mkdir -p "$folder"
    (cd "$folder" && { apt-get download -q prometheus || { as_root apt-get update -q && apt-get download -q prometheus; }; }) \
        || fail "Prometheus is missing: apt-get download prometheus did not bring it"
    dpkg-deb --extract "$folder"/prometheus_*.deb "$folder"
    rm "$folder"/prometheus_*.deb
}

# What measures coverage: cargo-llvm-cov where the toolchain has what it needs, else cargo-tarpaulin, kept in target/tools.
install_coverage() {
    if has_llvm_tools || { rustup component add llvm-tools && has_llvm_tools; } 2>/dev/null; then
        coverage=llvm-cov
        build_tool cargo-llvm-cov 0.9.1
    else
        coverage=tarpaulin
        build_tool cargo-tarpaulin 0.37.5
    fi
}

# make_certificates FOLDER: an authority and another, and of the first a server's certificate for the name localhost.
make_certificates() {
    local folder=$1 authority
    command -v openssl >/dev/null || apt_install OpenSSL openssl
    mkdir "$folder"
    (
        cd "$folder"
        for authority in ca other; do
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$authority" -keyout $authority.key -out $authority.pem
        done
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr
        echo subjectAltName=DNS:localhost >names
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -extfile names -out server.pem
        chmod 600 server.key
    ) 2>"$work/openssl.log" || { cat "$work/openssl.log"; fail "OpenSSL could not make the certificates"; }
    # PostgreSQL reads no key that is another user's.
    if [ "$(id -u)" = 0 ]; then chown postgres "$folder/server.key"; fi
}

run_tests() {
    local folder=target/coverage tool
    case $coverage in
        "") cargo test --workspace --locked "${rest[@]}"; return ;;
        llvm-cov)
            mkdir -p "$folder"
            target/tools/bin/cargo-llvm-cov llvm-cov --package n_users --locked --lcov --output-path "$folder/lcov.info" "${rest[@]}"
            tool="cargo-llvm-cov"
            ;;
        tarpaulin)
            # A folder of its own: what is built to be counted would push out what is built to run.
            target/tools/bin/cargo-tarpaulin tarpaulin --package n_users --locked --engine llvm --follow-exec --skip-clean --timeout 900 \
                --out Lcov --output-dir "$folder" --target-dir "$folder/build" "${rest[@]}"
            tool="cargo-tarpaulin"
            ;;
    esac
    node scripts/coverage.mjs "$tool" "$folder/lcov.info" >"$folder/coverage.md"
    cp "$folder/coverage.md" docs/coverage.md
    say "coverage: see docs/coverage.md"
}

trap stop_all EXIT

say "formatting"
cargo fmt --all --check

say "lints"
cargo clippy --workspace --all-targets --locked --quiet -- --deny warnings

install_postgres
install_issuer
install_s3
install_prometheus
install_collector
export TEST_COLLECTOR=$collector
[ -z "$coverage" ] || install_coverage
say "starting a throw-away PostgreSQL"
make_work
make_certificates "$work/tls"
# Durability is not what a throw-away server is for.
start_postgres "-c fsync=off -c max_connections=400 -c shared_buffers=256MB -c ssl=on -c ssl_cert_file=$work/tls/server.pem -c ssl_key_file=$work/tls/server.key"
export TEST_DATABASE_URL=$postgres_url TEST_DATABASE_AUTHORITIES=$work/tls

say "tests"
run_tests

say "documentation"
RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --document-private-items --locked --quiet

say "all is well"
