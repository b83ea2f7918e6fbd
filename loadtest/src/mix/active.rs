//! The few percent of a tenant's people who are asked for: their profiles' ids, as the service gave them.

use super::requests::Requests;
use crate::failure::{Failure, Result};
use crate::http::{Connection, Target};
use crate::people::residents::resident;
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;

/// Of all people; and how many at the least and at the most, so that finding them does not take longer than the load.
const ACTIVE_PERCENT: u64 = 3;
const LEAST: u64 = 100;
const MOST: u64 = 50_000;

#[derive(Deserialize)]
struct User {
    profiles: Vec<Shown>,
}

#[derive(Deserialize)]
struct Shown {
    profile_id: String,
}

/// How many of so many people are active.
pub fn active_count(profiles: u64) -> u64 {
    (profiles * ACTIVE_PERCENT / 100).clamp(LEAST, MOST).min(profiles)
}

/// Their profiles' ids: people from all over the list, because neighbours in it lie side by side in the database.
pub async fn find(target: &Target, requests: &Arc<Requests>, profiles: u64, connections: usize) -> Result<Vec<String>> {
    let count = active_count(profiles);
    let workers = (0..connections as u64).map(|worker| {
        let (mut connection, requests) = (Connection::new(target.clone()), Arc::clone(requests));
        tokio::spawn(async move {
            let mut found = Vec::new();
            for number in (worker..count).step_by(connections) {
                let at = u64::try_from(u128::from(number) * u128::from(profiles) / u128::from(count)).unwrap_or(number);
                found.push((number, read(&mut connection, &requests, at).await?));
            }
            Ok::<_, Failure>(found)
        })
    });
    let mut found = Vec::new();
    for worker in futures::future::join_all(workers).await {
        found.extend(worker.map_err(|e| Failure::new(format!("the active profiles could not be read: {e}")))??);
    }
    // Which of them are asked for most has nothing to do with where they stand.
    found.sort_by_key(|(number, _)| number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    Ok(found.into_iter().map(|(_, id)| id).collect())
}

async fn read(connection: &mut Connection, requests: &Requests, at: u64) -> Result<String> {
    let user_id = resident(&requests.tenant, at).user_id;
    let answer = connection.exchange(requests.read_user(user_id.as_str())).await;
    let answer = answer.map_err(|kind| Failure::new(format!("the service does not answer: {kind}")))?;
    if answer.status != StatusCode::OK {
        return Err(Failure::new(format!(
            "the user {user_id} is not there ({}): fill the tenant again, or choose another --tenant",
            answer.kind()
        )));
    }
    let user: User = serde_json::from_slice(&answer.body).map_err(|e| Failure::new(format!("a user could not be read: {e}")))?;
    let profile = user.profiles.into_iter().next().ok_or_else(|| Failure::new("a user without profiles was answered"))?;
    Ok(profile.profile_id)
}
