//! The binary: everything is in the library, so that tests reach it too.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    n_users::cli::main()
}
