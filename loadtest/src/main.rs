//! Makes large directories and measures searches on them.

mod names;
mod people;
mod random;
mod rows;

use clap::Parser;
use std::io::Write;

#[derive(Parser)]
struct Args {
    #[arg(long, default_value_t = 1_000_000)]
    profiles: u64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut line = String::new();
    for at in 0..args.profiles {
        line.clear();
        rows::push_row(&mut line, &people::person(args.seed, at));
        out.write_all(line.as_bytes())?;
    }
    out.flush()
}
