//! Some of the profiles in which a word has a beginning, by their grams.

use super::derive::any_without_grams;
use super::frequencies::Frequencies;
use super::grams;
use super::search::Budgeted;
use super::tenants::open_tenant;
use crate::domain::grams::Grams;
use crate::domain::spelling::{LARGE_TENANT, Probe, STEM, Sample, Shown, stem};
use crate::domain::tenant::TenantName;
use crate::store::Result;
use rusqlite::{CachedStatement, Connection, params};
use std::time::Duration;

/// A probe has this part of a search's time.
const PART_OF_SEARCH_BUDGET: u32 = 8;

/// A stem is likely that this share of the tenant has, or so many.
const SHARE_OF_A_STEM: f64 = 0.000_2;
const MOST_OF_A_STEM: u32 = 200;

statements! {
    /// Those that have a gram; whether the tenant, the state and the text are right is told for each.
    SAMPLE = "SELECT p.tenant_name = ?3 AND (?4 OR p.deleted_at IS NULL) AND instr(p.search_doc, ?5) > 0, p.search_doc
        FROM profile_grams CROSS JOIN profiles p ON p.profile_number = profile_grams.rowid
        WHERE profile_grams MATCH ?1 LIMIT ?2";
}

/// Looks on a connection that nobody else uses; `search_budget` is what a search may take.
pub(super) fn sample(
    connection: &mut Connection,
    tenant: &TenantName,
    probe: &Probe,
    frequencies: &Frequencies,
    search_budget: Duration,
) -> Result<Vec<Sample>> {
    let budgeted = Budgeted::start(connection, search_budget / PART_OF_SEARCH_BUDGET)?;
    let snapshot = budgeted.0.unchecked_transaction()?;
    open_tenant(&snapshot, tenant)?;
    if any_without_grams(&snapshot)? {
        return Ok(vec![Sample::default(); probe.beginnings.len()]);
    }
    let likely_stems = likely_stems(frequencies.of(&snapshot, &grams::tenant_word(tenant))?);
    let look = Looking { connection: &snapshot, tenant, probe, frequencies, likely_stems };
    let mut statement = snapshot.prepare_cached(SAMPLE)?;
    probe.beginnings.iter().map(|beginning| look.sample(&mut statement, beginning)).collect()
}

/// How many first characters of a likely beginning must be those of how many profiles' words, in a tenant of so many. Fewer
/// characters come first: there are fewer ways to begin with them, and most are known.
fn likely_stems(tenant_rows: f64) -> Vec<(usize, u32)> {
    if tenant_rows < LARGE_TENANT {
        return Vec::new();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "both casts saturate")]
    let common = ((tenant_rows * SHARE_OF_A_STEM) as u32).min(MOST_OF_A_STEM);
    vec![(STEM - 1, common), (STEM, common), (STEM + 1, 1)]
}

/// One probe under way.
struct Looking<'a> {
    connection: &'a Connection,
    tenant: &'a TenantName,
    probe: &'a Probe,
    frequencies: &'a Frequencies,
    likely_stems: Vec<(usize, u32)>,
}

impl Looking<'_> {
    fn sample(&self, statement: &mut CachedStatement<'_>, beginning: &str) -> Result<Sample> {
        let Self { connection, tenant, probe, frequencies, .. } = self;
        let leaves_out = probe.shown == Shown::WhereLikely && !self.is_likely(beginning)?;
        let Some(gram) = self.gram_of(beginning).filter(|_| !leaves_out) else { return Ok(Sample::default()) };
        if probe.shown == Shown::AllOrNone && frequencies.has(connection, gram, probe.wanted + 1)? {
            return Ok(Sample { docs: Vec::new(), holders: u64::from(probe.wanted) + 1 });
        }
        let (needle, expression) = (format!(" {beginning}"), grams::word(gram));
        let (docs, any) = look_up(statement, tenant, probe, &expression, &needle)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let holders = if any { frequencies.of(connection, &expression)?.round() as u64 } else { 0 };
        let tells = probe.shown != Shown::Whether || holders >= probe.examined.into();
        Ok(Sample { holders: if tells { holders.max(docs.len() as u64) } else { docs.len() as u64 }, docs })
    }

    fn gram_of(&self, beginning: &str) -> Option<i32> {
        Grams::of(self.tenant).of_needle(&format!(" {beginning}")).first().copied()
    }

    fn is_likely(&self, beginning: &str) -> Result<bool> {
        for (characters, holders) in &self.likely_stems {
            if let Some(gram) = stem(beginning, *characters).and_then(|stem| self.gram_of(stem))
                && !self.frequencies.has(self.connection, gram, *holders)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The search texts, and whether anybody has the gram.
fn look_up(
    statement: &mut CachedStatement<'_>,
    tenant: &TenantName,
    probe: &Probe,
    expression: &str,
    needle: &str,
) -> Result<(Vec<String>, bool)> {
    let (mut docs, mut any) = (Vec::new(), false);
    let mut rows = statement.query(params![expression, probe.examined, tenant.as_str(), probe.include_deleted, needle])?;
    while docs.len() < probe.wanted as usize
        && let Some(row) = rows.next()?
    {
        any = true;
        if row.get(0)? {
            docs.push(row.get(1)?);
        }
    }
    Ok((docs, any))
}
