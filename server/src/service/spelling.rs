//! What a query may have meant that found nobody. A suggestion is a courtesy: where it fails or takes too long, there is
//! none, and the search is answered all the same.

use super::call::Call;
use super::search::SearchRequest;
use super::{Directory, Result};
use crate::domain::caller::Reach;
use crate::domain::cause::chain;
use crate::domain::search_text::needles_in_order;
use crate::domain::spelling::{Correction, Look, MAX_CORRECTED, Probe, Shown, merged, words};
use std::time::Duration;
use tokio::time::timeout;

/// However little a store may take, it may have to be waited for.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How many profiles are looked at to see whether a word finds somebody: those whose words begin with the same eight
/// characters. Where more do, it is taken to find somebody.
const EXAMINED_FOR_A_WORD: u32 = 5_000;

impl Directory {
    /// Words of the tenant that are close to those of the query which by themselves find nobody. None for a caller
    /// who may not see everybody's.
    pub(super) async fn did_you_mean(&self, call: &Call, request: &SearchRequest) -> Vec<String> {
        if call.reach != Reach::Everybody {
            return Vec::new();
        }
        or_none(self.suggestions(call, request)).await
    }

    async fn suggestions(&self, call: &Call, request: &SearchRequest) -> Result<Vec<String>> {
        let mistyped = self.mistyped(call, request).await?;
        let mut corrections: Vec<_> = mistyped.into_iter().map(Correction::of).collect();
        for look in Look::ALL {
            self.look_for(call, request, look, &mut corrections).await?;
        }
        Ok(merged(corrections.iter().map(Correction::suggestions).collect()))
    }

    /// The words that by themselves find nobody.
    async fn mistyped(&self, call: &Call, request: &SearchRequest) -> Result<Vec<String>> {
        let query = request.query.as_deref().unwrap_or_default();
        let mut words = words(query);
        let is_all_that_was_asked = |word: &String| request.filter.is_none() && needles_in_order(query) == [format!(" {word}")];
        if words.first().is_none_or(is_all_that_was_asked) {
            return Ok(words);
        }
        let probe = Probe {
            beginnings: words.clone(),
            wanted: 1,
            examined: EXAMINED_FOR_A_WORD,
            shown: Shown::Whether,
            include_deleted: request.include_deleted,
        };
        let mut samples = self.store.sample_profiles(&call.tenant, &probe).await?.into_iter();
        words.retain(|_| samples.next().is_some_and(|sample| sample.holders == 0));
        words.truncate(MAX_CORRECTED);
        Ok(words)
    }

    /// One look for all words together.
    async fn look_for(&self, call: &Call, request: &SearchRequest, look: Look, corrections: &mut [Correction]) -> Result<()> {
        let looked_up: Vec<_> = corrections.iter_mut().map(|correction| correction.look_for(look)).collect();
        if looked_up.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let probe = look.probe(looked_up.concat(), request.include_deleted);
        let mut samples = self.store.sample_profiles(&call.tenant, &probe).await?;
        for (correction, beginnings) in corrections.iter_mut().zip(looked_up) {
            let rest = samples.split_off(beginnings.len().min(samples.len()));
            correction.learn(look, beginnings, samples);
            samples = rest;
        }
        Ok(())
    }
}

/// None where they fail, or take too long.
async fn or_none(suggestions: impl Future<Output = Result<Vec<String>>>) -> Vec<String> {
    let cause = match timeout(LONGEST_WAIT, suggestions).await {
        Ok(Ok(suggestions)) => return suggestions,
        Ok(Err(error)) => chain(&error),
        Err(elapsed) => elapsed.to_string(),
    };
    tracing::debug!(cause, "a search that found nobody is answered without suggestions");
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[tokio::test(start_paused = true)]
    async fn what_fails_or_takes_too_long_is_no_suggestion() {
        let some = || Ok(vec!["kowalski".to_owned()]);
        assert_eq!(or_none(async { some() }).await, ["kowalski"]);
        assert!(or_none(async { Err(StoreError::unavailable("gone").into()) }).await.is_empty());
        let late = async {
            tokio::time::sleep(LONGEST_WAIT * 2).await;
            some()
        };
        assert!(or_none(late).await.is_empty());
    }
}
