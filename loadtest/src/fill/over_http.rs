//! Fills a tenant through the API, many creates at a time.

use super::frontier::first_absent;
use crate::failure::{Failure, Result};
use crate::http::{Answer, Connection, Target};
use crate::mix::requests::Requests;
use crate::people::residents::resident;
use crate::progress::Progress;
use http::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How often a create that the service had no room for is sent again, and after which time.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// Makes sure that the tenant is there and that the tokens are good for it.
pub async fn ensure_tenant(connection: &mut Connection, requests: &Requests) -> Result<()> {
    let answer = ask(connection, requests.read_tenant()).await?;
    match answer.status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND => {
            let created = ask(connection, requests.create_tenant()).await?;
            match created.status {
                StatusCode::CREATED | StatusCode::CONFLICT => Ok(()),
                _ => Err(Failure::new(format!("the tenant {} could not be created: {}", requests.tenant, created.describe()))),
            }
        }
        StatusCode::UNAUTHORIZED => Err(Failure::new(format!(
            "the service does not accept the token ({}): give the --data-dir that the service was started with, or --tokens FILE",
            answer.kind()
        ))),
        // Tokens of a real issuer need not administer tenants.
        StatusCode::FORBIDDEN => match ask(connection, requests.any_search()).await?.status {
            StatusCode::OK => Ok(()),
            _ => Err(Failure::new(format!("the tokens do not reach the tenant {}: {}", requests.tenant, answer.describe()))),
        },
        _ => Err(Failure::new(format!("the service is not ready: {}", answer.describe()))),
    }
}

/// Brings the tenant to this many people; how many of them were made now.
pub async fn fill(target: &Target, requests: &Arc<Requests>, profiles: u64, connections: usize) -> Result<u64> {
    let connection = tokio::sync::Mutex::new(target.connect().await?);
    let present = first_absent(profiles, async |at| {
        let user_id = resident(&requests.tenant, at).user_id;
        let answer = ask(&mut *connection.lock().await, requests.read_user(user_id.as_str())).await?;
        match answer.status {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(Failure::new(format!("a user could not be read: {}", answer.describe()))),
        }
    })
    .await?;
    let progress = Progress::of_fill(profiles, present);
    if present == profiles {
        return Ok(0);
    }
    let next = Arc::new(AtomicU64::new(present.saturating_sub(connections as u64)));
    let workers = (0..connections).map(|_| {
        let (mut connection, requests, next) = (Connection::new(target.clone()), Arc::clone(requests), Arc::clone(&next));
        tokio::spawn(async move {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                if at >= profiles {
                    return Ok(());
                }
                create(&mut connection, &requests, at).await?;
            }
        })
    });
    let workers = futures::future::try_join_all(workers);
    futures::pin_mut!(workers);
    let mut ticks = tokio::time::interval(PAUSE);
    let ended = loop {
        tokio::select! {
            ended = &mut workers => break ended,
            _ = ticks.tick() => progress.set(next.load(Ordering::Relaxed).min(profiles)),
        }
    };
    ended.map_err(|e| Failure::new(format!("the fill broke off: {e}")))?.into_iter().collect::<Result<()>>()?;
    progress.finish(profiles - present);
    Ok(profiles - present)
}

async fn create(connection: &mut Connection, requests: &Requests, at: u64) -> Result<()> {
    let profile = resident(&requests.tenant, at);
    let mut problem = String::new();
    for _ in 0..ATTEMPTS {
        match connection.exchange(requests.create(at, &profile)).await {
            // A duplicate was made by an earlier fill.
            Ok(answer) if [StatusCode::CREATED, StatusCode::CONFLICT].contains(&answer.status) => return Ok(()),
            Ok(answer) if answer.status != StatusCode::SERVICE_UNAVAILABLE && answer.status != StatusCode::TOO_MANY_REQUESTS => {
                return Err(Failure::new(format!("profile {at} could not be created: {}", answer.describe())));
            }
            Ok(answer) => problem = answer.kind(),
            Err(kind) => problem = kind,
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Failure::new(format!("profile {at} could not be created: {problem}; run it again to go on from there")))
}

async fn ask(connection: &mut Connection, request: http::Request<http_body_util::Full<bytes::Bytes>>) -> Result<Answer> {
    connection.exchange(request).await.map_err(|kind| Failure::new(format!("the service does not answer: {kind}")))
}
