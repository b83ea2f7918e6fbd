//! One request after the other, drawn from the mix.

use super::requests::{Outbound, Requests};
use super::{Mix, Operation, queries};
use crate::engine::{Outgoing, Source};
use crate::people::random::Random;
use crate::people::residents::newcomer;
use bytes::Bytes;
use http::{Method, Uri};
use http_body_util::Full;
use n_users::domain::clock::{Clock, SystemClock};
use std::sync::Arc;

/// Draws operations, people and words; the same sequence for the same seed, but for who is created.
pub struct MixSource {
    mix: Mix,
    requests: Arc<Requests>,
    random: Random,
    profiles: Arc<[Uri]>,
    images: Arc<[Uri]>,
    searches: Arc<[Uri]>,
    filters: Arc<[Bytes]>,
    turn: u64,
    run: u64,
    created: u64,
}

impl MixSource {
    /// `active` are profiles' ids, those asked for most first; `with_image` those that have an image.
    pub fn new(mix: Mix, requests: Arc<Requests>, profiles: u64, mut random: Random, active: &[String], with_image: &[String]) -> Self {
        Self {
            mix,
            profiles: active.iter().map(|id| requests.profile_uri(id)).collect(),
            images: with_image.iter().map(|id| requests.image_uri(id)).collect(),
            searches: queries::by_word(&requests, profiles, &mut random).into(),
            filters: queries::by_filter(&requests, profiles, &mut random).into(),
            requests,
            random,
            turn: 0,
            run: u64::try_from(SystemClock.now().0).unwrap_or_default(),
            created: 0,
        }
    }

    fn request(&mut self, operation: Operation) -> Outbound {
        let turn = self.turn;
        match operation {
            Operation::Get => self.requests.get(self.profiles[self.random.zipf(self.profiles.len())].clone(), turn),
            Operation::Search => self.requests.get(self.searches[self.random.index(self.searches.len())].clone(), turn),
            Operation::Image => self.requests.get(self.images[self.random.index(self.images.len())].clone(), turn),
            Operation::Patch => {
                let uri = self.profiles[self.random.index(self.profiles.len())].clone();
                self.requests.json(Method::PATCH, uri, turn, self.patch().into_bytes())
            }
            Operation::Create => {
                self.created += 1;
                self.requests.create(turn, &newcomer(&self.requests.tenant, self.run, self.created))
            }
            Operation::SearchFilter => {
                let body = self.filters[self.random.index(self.filters.len())].clone();
                let mut request = self.requests.json(Method::POST, self.requests.search_body_uri(), turn, Vec::new());
                *request.body_mut() = Full::new(body);
                request
            }
        }
    }

    /// A change that is one each time: half of them of fields that search knows, half of the tenant's own.
    fn patch(&self) -> String {
        let (turn, run) = (self.turn, self.run);
        if turn.is_multiple_of(2) {
            format!(r#"{{"city_id":"city-{}","address":"{turn} Main Street, {run}"}}"#, turn % 1_000)
        } else {
            format!(r#"{{"attributes":{{"plan":"pro","seats":{},"last_seen":"{run}-{turn}"}}}}"#, turn % 50)
        }
    }
}

impl Source for MixSource {
    fn operations(&self) -> Vec<&'static str> {
        Operation::ALL.iter().filter(|operation| self.mix.contains(**operation)).map(|operation| operation.name()).collect()
    }

    fn next(&mut self) -> Outgoing {
        let operation = self.mix.draw(&mut self.random);
        self.turn += 1;
        let place = Operation::ALL.iter().filter(|other| self.mix.contains(**other)).position(|other| *other == operation);
        Outgoing { operation: place.unwrap_or_default(), request: self.request(operation) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use n_users::domain::tenant::TenantName;

    #[test]
    fn a_seed_draws_the_same_searches_again_and_another_one_others() {
        let requests = Arc::new(Requests::new(TenantName::from_stored("load".to_owned()), vec!["Bearer x".parse().unwrap()]));
        let drawn = |seed| -> Vec<Uri> {
            let mix = Mix::Alone(Operation::Search);
            let mut source = MixSource::new(mix, Arc::clone(&requests), 10_000, Random::new(seed), &[], &[]);
            (0..50).map(|_| source.next().request.uri().clone()).collect()
        };
        let first = drawn(1);
        assert_eq!(first, drawn(1));
        assert!(drawn(2).iter().filter(|uri| first.contains(uri)).count() < 25);
    }
}
