//! Runs searches and creates, and tells how long they took.

use crate::cpu;
use crate::workload::{Class, Population};
use loadtest::people::person;
use loadtest::people::random::Random;
use n_users::domain::change::{Change, ChangeKind};
use n_users::domain::search::{Found, Search};
use n_users::store::{Store, StoreError};
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the computing of the database is to be seen.
#[derive(Clone)]
pub enum Place {
    Backends(String),
    Here,
}

impl Place {
    fn nanoseconds(&self) -> u64 {
        match self {
            Self::Backends(database) => cpu::nanoseconds(&cpu::backends(database)),
            Self::Here => cpu::nanoseconds(&cpu::own_threads()),
        }
    }
}

#[derive(Default)]
struct Timings(Vec<f64>);

impl Timings {
    fn at(&mut self, percent: usize) -> f64 {
        self.0.sort_by(f64::total_cmp);
        let last = self.0.len().saturating_sub(1);
        self.0.get((self.0.len() * percent / 100).min(last)).copied().unwrap_or_default()
    }

    #[expect(clippy::cast_precision_loss, reason = "a count")]
    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / (self.0.len().max(1) as f64)
    }
}

/// One client: each search by itself, with the database's computing.
pub async fn alone(
    store: &Arc<dyn Store>,
    people: Population,
    seed: u64,
    count: usize,
    place: &Place,
    worst: usize,
) -> Result<(), Box<dyn Error>> {
    println!("| one client | n | CPU ms mean | P95 | P99 | wall ms P50 | P95 | P99 | slow |");
    println!("|---|---|---|---|---|---|---|---|---|");
    let (mut all_cpu, mut all_wall) = (Timings::default(), Timings::default());
    let mut mix = BTreeMap::<Class, usize>::new();
    let mut random = Random::new(seed);
    for _ in 0..count {
        *mix.entry(Class::of_mix(&mut random)).or_default() += 1;
    }
    let mut paths = BTreeMap::<(Class, String), Timings>::new();
    let mut dear = Vec::new();
    for class in Class::ALL {
        let in_mix = mix.get(&class).copied().unwrap_or(0);
        let (mut cpu, mut wall, mut slow) = (Timings::default(), Timings::default(), 0);
        for _ in 0..if in_mix == 0 { count / 10 } else { in_mix } {
            let (tenant, search) = people.search(class, true, &mut random);
            let (before, started) = (place.nanoseconds(), Instant::now());
            let found = store.search_profiles(&tenant, &search).await;
            let (took, used) = (started.elapsed(), place.nanoseconds().saturating_sub(before));
            match found {
                Ok(found) => {
                    if worst > 0 {
                        dear.push((used, format!("{}: {}", class.name(), told(&search, &found))));
                    }
                    let path: Vec<_> = found.route.0.iter().map(|step| step.step).collect();
                    paths.entry((class, path.join(", "))).or_default().0.push(Duration::from_nanos(used).as_secs_f64() * 1e3);
                }
                Err(StoreError::TooSlow(_)) => slow += 1,
                Err(error) => return Err(error.into()),
            }
            cpu.0.push(Duration::from_nanos(used).as_secs_f64() * 1e3);
            wall.0.push(took.as_secs_f64() * 1e3);
        }
        if in_mix > 0 {
            all_cpu.0.extend(&cpu.0);
            all_wall.0.extend(&wall.0);
        }
        row(class.name(), &mut cpu, &mut wall, slow);
    }
    row("**the mix**", &mut all_cpu, &mut all_wall, 0);
    println!("\nPaths:");
    for ((class, path), mut cpu) in paths {
        println!("- {}: {path}: {} searches, CPU ms mean {:.2}, worst {:.2}", class.name(), cpu.0.len(), cpu.mean(), cpu.at(100));
    }
    dear.sort_by(|(one, _), (other, _)| other.cmp(one));
    for (used, told) in dear.into_iter().take(worst) {
        println!("- worst: {:.1} ms, {told}", Duration::from_nanos(used).as_secs_f64() * 1e3);
    }
    Ok(())
}

/// What was asked, and the steps that answered it: expected hits, and rows read.
fn told(search: &Search, found: &Found) -> String {
    let steps: Vec<_> = found.route.0.iter().map(|step| format!("{} {}/{}", step.step, step.expected, step.read)).collect();
    let (needles, filter, sort) = (&search.needles, &search.filter, search.sort);
    format!("{needles:?} {filter:?} {sort:?}: {:?}, {}", found.total, steps.join(", "))
}

fn row(name: &str, cpu: &mut Timings, wall: &mut Timings, slow: usize) {
    let mean = cpu.mean();
    println!(
        "| {name} | {} | {mean:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} | {slow} |",
        cpu.0.len(),
        cpu.at(95),
        cpu.at(99),
        wall.at(50),
        wall.at(95),
        wall.at(99)
    );
}

/// Many clients, who all run the mix with the other classes in it.
pub async fn together(store: &Arc<dyn Store>, people: Population, seed: u64, count: usize, clients: u64) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let mut random = Random::new(seed.wrapping_mul(1_000).wrapping_add(client));
                let mut took = Vec::new();
                for _ in 0..count / usize::try_from(clients).unwrap_or(1) {
                    let class = if random.chance(0.1) { Class::ALL[6 + random.index(4)] } else { Class::of_mix(&mut random) };
                    let (tenant, search) = people.search(class, true, &mut random);
                    let started = Instant::now();
                    let _ = store.search_profiles(&tenant, &search).await;
                    took.push((class, started.elapsed().as_secs_f64() * 1e3));
                }
                took
            })
        })
        .collect();
    let (mut classes, mut all) = (BTreeMap::<Class, Timings>::new(), Timings::default());
    for task in tasks {
        for (class, took) in task.await? {
            classes.entry(class).or_default().0.push(took);
            all.0.push(took);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("\n| {clients} clients | n | wall ms P50 | P95 | P99 |\n|---|---|---|---|---|");
    for (class, timings) in &mut classes {
        println!("| {} | {} | {:.2} | {:.2} | {:.2} |", class.name(), timings.0.len(), timings.at(50), timings.at(95), timings.at(99));
    }
    println!("| **all** | {} | {:.2} | {:.2} | {:.2} |", all.0.len(), all.at(50), all.at(95), all.at(99));
    println!("\n{:.0} searches a second", f64::from(u32::try_from(all.0.len()).unwrap_or(u32::MAX)) / seconds);
    Ok(())
}

/// Clients who create people of whom the data set has none.
pub async fn creates(store: &Arc<dyn Store>, people: Population, from: u64, count: u64, clients: u64) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let mut took = Vec::new();
                for at in (from..from + count).filter(|at| at % clients == client) {
                    let profile = person(people.seed, at);
                    let change = Change::of_profile(ChangeKind::ProfileCreated, &profile, Vec::new());
                    let started = Instant::now();
                    match store.create_profile(&profile.tenant_name, &profile, &change, None).await {
                        Ok(()) => took.push(started.elapsed().as_secs_f64() * 1e3),
                        // Of so many people some share an address.
                        Err(StoreError::Duplicate(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok::<_, StoreError>(took)
            })
        })
        .collect();
    let mut all = Timings::default();
    for task in tasks {
        all.0.extend(task.await??);
    }
    let rate = f64::from(u32::try_from(all.0.len()).unwrap_or(u32::MAX)) / started.elapsed().as_secs_f64();
    println!("\ncreates, {clients} clients: {rate:.0}/s, P95 {:.1} ms, worst {:.0} ms", all.at(95), all.at(100));
    Ok(())
}
