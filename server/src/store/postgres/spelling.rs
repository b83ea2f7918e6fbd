//! Some of the profiles in which a word has a beginning: by their grams, or where the statistics say that too many have
//! the gram, among the newest of the tenant.

use super::Postgres;
use super::frequencies::Frequencies;
use super::options::milliseconds;
use super::partitions::Partition;
use super::pool::{Attempted, Session};
use super::rows;
use super::search::OPEN_TENANT;
use crate::domain::grams::Grams;
use crate::domain::spelling::{LARGE_TENANT, Probe, STEM, Sample, Shown, stem};
use crate::domain::tenant::TenantName;
use crate::store::error::{Result, StoreError};
use futures::future::try_join;
use std::time::Duration;

/// A probe has this part of a search's time.
const PART_OF_SEARCH_BUDGET: u32 = 8;
/// The index gives all who have a gram before the first of them can be looked at: grams that more than this have, or that
/// together are more than that, are not asked for (0.01 µs each where it draws).
const MOST_OF_A_GRAM: f64 = 200_000.0;
const MOST_OF_ALL_GRAMS: f64 = 1_000_000.0;
/// Of more grams than this it is asked first which of them anybody has: of the neighbours of a word that is nobody's, none.
/// So many rows are read for that.
const FEW_GRAMS: usize = 32;
const FOUND_ROWS: i64 = 500;
/// Needles of no more characters are likely to be somebody's: to gather all who have one of them takes longer than to look at a few of
/// each.
const LONGEST_COMMON: usize = 6;
/// What so many have is found among so few.
const NEWEST: i64 = 2_000;

/// The tenant is compared outside: inside, the planner would join an index of the whole tenant to the grams'.
macro_rules! sample_by_grams {
    ($($partition:literal)+) => {
        [$(concat!(
            "SELECT v.nr, f.search_doc FROM unnest($1::int4[], $2::text[]) WITH ORDINALITY AS v (gram, needle, nr) CROSS JOIN LATERAL (",
            "SELECT c.search_doc FROM (SELECT p.tenant_name, p.deleted_at, p.search_doc FROM profiles_p", $partition, " p ",
            "WHERE p.grams @> ARRAY[v.gram] LIMIT $6::bigint) AS c ",
            "WHERE c.tenant_name = $3::text AND ($4::boolean OR c.deleted_at IS NULL) AND strpos(c.search_doc, v.needle) > 0 ",
            "LIMIT $5::bigint) AS f"
        )),+]
    };
}

/// One for each partition, by its number.
pub(super) const SAMPLE_BY_GRAMS: [&str; 8] = sample_by_grams!(0 1 2 3 4 5 6 7);

/// Which of these grams anybody has, as far as so many rows tell; and how many rows were read.
macro_rules! find_grams {
    ($($partition:literal)+) => {
        [$(concat!(
            "WITH found AS MATERIALIZED (SELECT p.grams FROM profiles_p", $partition, " p WHERE p.grams && $1::int4[] LIMIT $2::bigint) ",
            "SELECT (SELECT count(*) FROM found) AS rows, ",
            "coalesce(array_agg(DISTINCT g.gram) FILTER (WHERE g.gram = ANY ($1::int4[])), '{}') AS grams ",
            "FROM found CROSS JOIN LATERAL unnest(found.grams) AS g (gram)"
        )),+]
    };
}

/// One for each partition, by its number.
pub(super) const FIND_GRAMS: [&str; 8] = find_grams!(0 1 2 3 4 5 6 7);

pub(super) const SAMPLE_NEWEST: &str = "\
SELECT c.search_doc FROM (SELECT p.deleted_at, p.search_doc FROM profiles p WHERE p.tenant_name = $1::text
                          ORDER BY p.created_at DESC, p.profile_id DESC LIMIT $4::bigint) AS c
WHERE ($3::boolean OR c.deleted_at IS NULL)
  AND EXISTS (SELECT FROM unnest($2::text[]) AS v (needle) WHERE strpos(c.search_doc, v.needle) > 0)";

impl Postgres {
    pub(super) async fn sample(&self, tenant: &TenantName, probe: &Probe) -> Result<Vec<Sample>> {
        self.sample_guided(tenant, probe, &self.frequencies.current(&self.pool)).await
    }

    pub(super) async fn sample_guided(&self, tenant: &TenantName, probe: &Probe, frequencies: &Frequencies) -> Result<Vec<Sample>> {
        let budget = self.search_budget / PART_OF_SEARCH_BUDGET;
        let plan = Plan::of(tenant, probe, frequencies);
        if plan.by_gram.is_empty() && plan.among_newest.is_empty() {
            return Ok(plan.with_holders(vec![Sample::default(); plan.needles.len()], probe));
        }
        let partition = self.partitions.of(tenant, &self.lanes).await?;
        let sampled = self.pool.read(|session| sample(session, tenant, partition, probe, &plan, budget)).await;
        sampled.map_err(|failure| match (failure.is_timeout(), StoreError::from(failure)) {
            (true, StoreError::Unavailable(cause)) => StoreError::TooSlow(cause),
            (_, other) => other,
        })
    }
}

/// How each beginning is looked for, by its place in the probe.
struct Plan {
    needles: Vec<String>,
    /// As far as statistics list it.
    holders: Vec<Option<f64>>,
    /// Whether these have the beginning, and not only its gram.
    is_certain: Vec<bool>,
    by_gram: Vec<(usize, i32)>,
    among_newest: Vec<usize>,
}

impl Plan {
    fn of(tenant: &TenantName, probe: &Probe, frequencies: &Frequencies) -> Self {
        let grams = Grams::of(tenant);
        let needles: Vec<String> = probe.beginnings.iter().map(|beginning| format!(" {beginning}")).collect();
        let of_needles: Vec<_> = needles.iter().map(|needle| grams.of_needle(needle).first().copied()).collect();
        let holders: Vec<_> = of_needles.iter().map(|gram| gram.and_then(|gram| frequencies.of_listed(gram))).collect();
        let is_large = frequencies.of_tenant(tenant).is_some_and(|rows| rows >= LARGE_TENANT);
        // What statistics do not list, next to nobody has.
        let is_unlikely = |beginning: &str| {
            let stem = stem(beginning, STEM).and_then(|stem| grams.of_needle(&format!(" {stem}")).first().copied());
            stem.is_some_and(|gram| frequencies.of_listed(gram).is_none())
        };
        let mut rare_first: Vec<usize> = (0..needles.len()).collect();
        let held = |at: usize| holders[at].unwrap_or_default();
        let is_told = |needle: &str| Grams::told(needle) >= 1.0;
        let is_certain: Vec<bool> =
            (0..needles.len()).map(|at| held(at) >= probe.examined.into() || held(at) > 0.0 && is_told(&needles[at])).collect();
        rare_first.sort_by(|one, other| held(*one).total_cmp(&held(*other)));
        let (mut by_gram, mut among_newest, mut sum) = (Vec::new(), Vec::new(), 0.0);
        for at in rare_first {
            let Some(gram) = of_needles[at] else { continue };
            let leaves_out = match probe.shown {
                Shown::Always => false,
                Shown::Whether => is_certain[at],
                Shown::AllOrNone => held(at) > f64::from(probe.wanted),
                Shown::WhereLikely => is_large && is_unlikely(&probe.beginnings[at]),
            };
            if leaves_out {
                continue;
            }
            sum += held(at);
            if held(at) < MOST_OF_A_GRAM && sum < MOST_OF_ALL_GRAMS {
                by_gram.push((at, gram));
            } else {
                among_newest.push(at);
            }
        }
        Self { needles, holders, is_certain, by_gram, among_newest }
    }

    /// These samples, with what statistics list.
    fn with_holders(&self, mut samples: Vec<Sample>, probe: &Probe) -> Vec<Sample> {
        for (at, sample) in samples.iter_mut().enumerate() {
            let holders = self.holders[at].filter(|_| probe.shown != Shown::Whether || self.is_certain[at]);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
            let holders = holders.unwrap_or_default().round() as u64;
            sample.holders = holders.max(sample.docs.len() as u64);
        }
        samples
    }
}

async fn sample(
    session: Session,
    tenant: &TenantName,
    partition: Partition,
    probe: &Probe,
    plan: &Plan,
    budget: Duration,
) -> Attempted<Vec<Sample>> {
    // Of a longer list the index gives about so many, drawn by chance (PostgreSQL's "GIN Tips and Tricks"): to pass one over is
    // a tenth of the work.
    let drawn = match probe.shown {
        Shown::Always | Shown::WhereLikely => probe.examined,
        // They tell by who is not there.
        Shown::Whether | Shown::AllOrNone => 0,
    };
    // One plan is good for all values, as for a search.
    let begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}; SET LOCAL enable_seqscan = off; \
         SET LOCAL enable_sort = off; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL gin_fuzzy_search_limit = {drawn}",
        milliseconds(budget)
    );
    let ((), tenants) = try_join(session.begin(&begin), session.query(OPEN_TENANT, &[&tenant.as_str()])).await?;
    let row = tenants.first().ok_or(StoreError::TenantUnknown)?;
    rows::in_service(row.try_get(0)?)?;
    let mut samples = vec![Sample::default(); plan.needles.len()];
    if !plan.by_gram.is_empty() {
        sample_by_grams(&session, tenant, probe, plan, partition, &mut samples).await?;
    }
    if !plan.among_newest.is_empty() {
        sample_newest(&session, tenant, probe, plan, &mut samples).await?;
    }
    session.end(true).await?;
    Ok(plan.with_holders(samples, probe))
}

async fn sample_by_grams(
    session: &Session,
    tenant: &TenantName,
    probe: &Probe,
    plan: &Plan,
    partition: Partition,
    samples: &mut [Sample],
) -> Attempted<()> {
    let by_gram = held_by_anybody(session, plan, partition).await?;
    if by_gram.is_empty() {
        return Ok(());
    }
    let text = partition.of(&SAMPLE_BY_GRAMS);
    let grams: Vec<i32> = by_gram.iter().map(|(_, gram)| *gram).collect();
    let needles: Vec<&str> = by_gram.iter().map(|(at, _)| plan.needles[*at].as_str()).collect();
    let (wanted, examined) = (i64::from(probe.wanted), i64::from(probe.examined));
    for row in session.query(text, &[&grams, &needles, &tenant.as_str(), &probe.include_deleted, &wanted, &examined]).await? {
        let number: i64 = row.try_get(0)?;
        let at = usize::try_from(number - 1).ok().and_then(|number| by_gram.get(number));
        if let Some((at, _)) = at {
            samples[*at].docs.push(row.try_get(1)?);
        }
    }
    Ok(())
}

/// Those that are looked for by their grams, without those whose gram nobody has, where that is quickly learned.
async fn held_by_anybody(session: &Session, plan: &Plan, partition: Partition) -> Attempted<Vec<(usize, i32)>> {
    let is_rare = |at: usize| plan.holders[at].is_none() && plan.needles[at].chars().count() > LONGEST_COMMON;
    let (rare, others): (Vec<_>, Vec<_>) = plan.by_gram.iter().copied().partition(|(at, _)| is_rare(*at));
    if rare.len() <= FEW_GRAMS {
        return Ok(plan.by_gram.clone());
    }
    let grams: Vec<i32> = rare.iter().map(|(_, gram)| *gram).collect();
    let row = session.query_one(partition.of(&FIND_GRAMS), &[&grams, &FOUND_ROWS]).await?;
    let (rows, held): (i64, Vec<i32>) = (row.try_get("rows")?, row.try_get("grams")?);
    if rows >= FOUND_ROWS {
        return Ok(plan.by_gram.clone());
    }
    Ok(others.into_iter().chain(rare.into_iter().filter(|(_, gram)| held.contains(gram))).collect())
}

async fn sample_newest(session: &Session, tenant: &TenantName, probe: &Probe, plan: &Plan, samples: &mut [Sample]) -> Attempted<()> {
    let needles: Vec<&str> = plan.among_newest.iter().map(|at| plan.needles[*at].as_str()).collect();
    for row in session.query(SAMPLE_NEWEST, &[&tenant.as_str(), &needles, &probe.include_deleted, &NEWEST]).await? {
        let doc: String = row.try_get(0)?;
        for (at, needle) in plan.among_newest.iter().zip(&needles) {
            let docs = &mut samples[*at].docs;
            if docs.len() < probe.wanted as usize && doc.contains(needle) {
                docs.push(doc.clone());
            }
        }
    }
    Ok(())
}
