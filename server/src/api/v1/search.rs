//! Search, by query parameters or by a body.

use super::respond::json;
use super::schema::{SearchAnswer, SearchBody};
use crate::api::AppState;
use crate::api::extract::{Authorized, Params, ReadProfiles, Write, params};
use crate::api::problem::Problem;
use crate::domain::document::{Document, FromJson, parse_text};
use crate::domain::invalid::{Faults, Place};
use crate::service::search::SearchRequest;
use crate::telemetry::metrics::METRICS;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(search)).routes(routes!(search_by_body))
}

/// Search profiles
///
/// Every word of `query` must be the beginning of a word of the name, e-mail, user id, city or mobile; case, accents
/// and width do not matter. Results are as of now. Where nobody is found, `did_you_mean` may say what was meant.
#[utoipa::path(get, operation_id = "search_profiles", path = "/v1/tenants/{tenant_name}/profiles", tag = "profiles",
    params(
        ("tenant_name" = String, Path),
        ("query" = Option<String>, Query, description = "Words, like: ada lov"),
        ("filter" = Option<String>, Query, description = "A filter, like: city_id eq \"LON\" and active eq true"),
        ("sort_by" = Option<String>, Query, description = "full_name, created_at, updated_at, birth_date, city_id, country_id, email_id or user_id, or distance with one near(latitude, longitude, kilometres) in the filter; a leading - for descending. Default: -created_at"),
        ("limit" = Option<u32>, Query, description = "1 to 200. Default: 20"),
        ("offset" = Option<u32>, Query, description = "0 to 10,000; go further with cursor"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before, with the same search"),
        ("include_deleted" = Option<bool>, Query, description = "Also find soft-deleted ones; needs profiles:admin"),
        ("explain" = Option<bool>, Query, description = "Also tell how it was found; needs profiles:admin"),
    ),
    responses(
        (status = 200, description = "A page", body = SearchAnswer),
        (status = 404, description = "No such tenant"),
        (status = 422, description = "Invalid, or too broad for its budget"),
    ))]
async fn search(State(app): State<AppState>, auth: Authorized<ReadProfiles>, mut params: Params) -> Result<Response, Problem> {
    let mut request = SearchRequest {
        query: params.take("query"),
        filter: params.take("filter"),
        sort_by: params.take("sort_by"),
        limit: params.take_integer("limit"),
        offset: params.take_integer("offset"),
        cursor: params.take("cursor"),
        include_deleted: params.take_bool("include_deleted"),
        explain: params.take_bool("explain"),
        faults: Faults::default(),
    };
    request.faults = params.into_faults();
    answer(&app, auth, request, params::place).await
}

/// Search profiles, with the words in the body
#[utoipa::path(post, operation_id = "search_profiles_by_body", path = "/v1/tenants/{tenant_name}/profiles/search", tag = "profiles", request_body = SearchBody,
    params(("tenant_name" = String, Path)),
    responses(
        (status = 200, description = "A page", body = SearchAnswer),
        (status = 400, description = "Malformed JSON"),
        (status = 404, description = "No such tenant"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "Not JSON"),
        (status = 422, description = "Invalid, or too broad for its budget"),
    ))]
async fn search_by_body(
    State(app): State<AppState>,
    auth: Authorized<ReadProfiles>,
    params: Params,
    write: Write,
) -> Result<Response, Problem> {
    params.finish()?;
    let request = read_body(write.document()?);
    answer(&app, auth, request, |name| Place::Pointer(format!("/{name}"))).await
}

fn read_body(mut document: Document) -> SearchRequest {
    let text = |document: &mut Document, name: &str| document.take::<Words>(name).into_option().map(|words| words.0);
    let mut request = SearchRequest {
        query: text(&mut document, "query"),
        filter: text(&mut document, "filter"),
        sort_by: text(&mut document, "sort_by"),
        limit: document.take::<i64>("limit").into_option(),
        offset: document.take::<i64>("offset").into_option(),
        cursor: text(&mut document, "cursor"),
        include_deleted: document.take::<bool>("include_deleted").into_option().unwrap_or(false),
        explain: document.take::<bool>("explain").into_option().unwrap_or(false),
        faults: Faults::default(),
    };
    request.faults = document.finish().err().unwrap_or_default();
    request
}

/// Text that the service judges itself.
struct Words(String);

impl FromJson for Words {
    fn from_json(value: Value) -> Result<Self, String> {
        parse_text(&value, |text| Ok(Self(text.to_owned())))
    }
}

async fn answer(
    app: &AppState,
    auth: Authorized<ReadProfiles>,
    request: SearchRequest,
    place: fn(&str) -> Place,
) -> Result<Response, Problem> {
    let explain = request.explain;
    if request.include_deleted || explain {
        auth.require_admin()?;
    }
    let page = app.directory()?.search_profiles(&auth.call(None), request, place).await?;
    for step in &page.route.0 {
        METRICS.note_search_step(step.step);
    }
    let answer = SearchAnswer {
        profiles: page.profiles.into_iter().map(|profile| app.public_url.profile(profile)).collect(),
        next_cursor: page.next_cursor,
        total: page.total,
        did_you_mean: page.did_you_mean,
        explain: explain.then_some(page.route.0),
    };
    Ok(json(StatusCode::OK, &answer))
}
