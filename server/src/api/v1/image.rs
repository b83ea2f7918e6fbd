//! `/v1/tenants/{tenant_name}/profiles/{profile_id}/image`: put, show, remove.

use super::respond::written;
use super::schema::{ImageForm, Picture};
use crate::api::AppState;
use crate::api::extract::condition::names;
use crate::api::extract::path::PathProfileId;
use crate::api::extract::{Authorized, Params, ReadProfiles, Upload, Write, WriteProfiles, params};
use crate::api::problem::Problem;
use crate::domain::image::{ImageId, ImageSize};
use crate::domain::profile::Profile;
use crate::service::images::{ImageBody, ShownImage};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The route, as the layer around all knows it.
pub const PATH: &str = "/v1/tenants/{tenant_name}/profiles/{profile_id}/image";

pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(put, read, delete))
}

/// Add or replace a profile's image
///
/// The body is the image itself, or a form with the field `profile_image`: JPEG, PNG, WebP or GIF (its first frame),
/// told by its content. It is turned upright, freed of all metadata, and kept in three sizes; `profile_image_url` then
/// says where. The same image again changes nothing.
#[utoipa::path(put, operation_id = "put_image", path = "/v1/tenants/{tenant_name}/profiles/{profile_id}/image", tag = "images",
    request_body(content((Picture = "image/jpeg"), (Picture = "image/png"), (Picture = "image/webp"), (Picture = "image/gif"), (ImageForm = "multipart/form-data"))),
    params(
        ("tenant_name" = String, Path), ("profile_id" = uuid::Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "Only for this version of the profile: its ETag"),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 200, description = "The profile as it now is", body = Profile, headers(("ETag" = String))),
        (status = 400, description = "A form that cannot be read, or has other fields"),
        (status = 404, description = "No such profile"),
        (status = 412, description = "If-Match does not hold; nothing was changed"),
        (status = 413, description = "The image has too many bytes"),
        (status = 415, description = "Not an image of a kind that is taken"),
        (status = 422, description = "An image that cannot be used: too many pixels, damaged, cut short, or with something behind its end"),
    ))]
async fn put(
    State(app): State<AppState>,
    auth: Authorized<WriteProfiles>,
    PathProfileId(profile_id): PathProfileId,
    params: Params,
    upload: Upload,
) -> Result<Response, Problem> {
    params.finish()?;
    let attempt = upload.attempt(&app, auth.subject());
    let outcome = app.directory()?.put_image(&auth.call(attempt), profile_id, &upload.expected, upload.file.clone()).await?;
    Ok(written(&app.public_url.written(outcome)))
}

/// Show a profile's image
///
/// Under `profile_image_url` as a profile gives it, the image may be kept for a day; without `v`, or when there is a
/// newer image than `v` says, it is to be asked for anew each time, which costs little with `If-None-Match`.
#[utoipa::path(get, operation_id = "read_image", path = "/v1/tenants/{tenant_name}/profiles/{profile_id}/image", tag = "images",
    params(
        ("tenant_name" = String, Path), ("profile_id" = uuid::Uuid, Path),
        ("size" = Option<String>, Query, description = "original (at most 2,048 pixels wide and high), 256 or 64 (square). Default: original"),
        ("v" = Option<String>, Query, description = "The image that is meant, as in profile_image_url"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 when it still is the current one"),
    ),
    responses(
        (status = 200, description = "The image", content((Picture = "image/jpeg"), (Picture = "image/png")), headers(("ETag" = String))),
        (status = 302, description = "Where the image is for some minutes, if the service is configured so", headers(("Location" = String))),
        (status = 304, description = "The client has this image already"),
        (status = 404, description = "No such profile, or it has no image"),
        (status = 422, description = "No such size"),
    ))]
async fn read(
    State(app): State<AppState>,
    auth: Authorized<ReadProfiles>,
    PathProfileId(profile_id): PathProfileId,
    mut params: Params,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (size, version) = (params.take("size"), params.take("v"));
    let mut faults = params.into_faults();
    let size = size.as_deref().map_or(Some(ImageSize::Original), ImageSize::parse).unwrap_or_else(|| {
        faults.add(params::place("size"), "must be original, 256 or 64");
        ImageSize::Original
    });
    faults.into_result()?;
    let known = |image: &ImageId| names(&headers, &etag(image, size));
    let shown = app.directory()?.read_image(&auth.call(None), profile_id, size, &method, known).await?;
    let is_named = version.is_some_and(|version| version == shown.image.to_string());
    Ok(answer(shown, size, is_named))
}

/// Remove a profile's image
#[utoipa::path(delete, operation_id = "delete_image", path = "/v1/tenants/{tenant_name}/profiles/{profile_id}/image", tag = "images",
    params(
        ("tenant_name" = String, Path), ("profile_id" = uuid::Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "Only from this version of the profile: its ETag"),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "No such profile, or it has no image"),
        (status = 412, description = "If-Match does not hold; nothing was changed"),
    ))]
async fn delete(
    State(app): State<AppState>,
    auth: Authorized<WriteProfiles>,
    PathProfileId(profile_id): PathProfileId,
    params: Params,
    write: Write,
) -> Result<Response, Problem> {
    params.finish()?;
    let attempt = write.attempt(&app, auth.subject());
    Ok(written(&app.directory()?.delete_image(&auth.call(attempt), profile_id, &write.expected).await?))
}

/// A name is used for one picture, ever: so it is as good a tag as a hash, and has one in it.
fn etag(image: &ImageId, size: ImageSize) -> String {
    format!("\"{image}-{}\"", size.as_str())
}

fn answer(shown: ShownImage, size: ImageSize, is_named: bool) -> Response {
    let caching = match shown.body {
        // The URL is good for minutes only.
        ImageBody::Elsewhere(_) => "private, no-store",
        _ if is_named => "private, max-age=86400, immutable",
        _ => "private, no-cache",
    };
    let media_type = HeaderValue::from_static(shown.image.format.media_type());
    let mut response = match shown.body {
        ImageBody::Known => StatusCode::NOT_MODIFIED.into_response(),
        ImageBody::Elsewhere(url) => (StatusCode::FOUND, [(LOCATION, url)]).into_response(),
        ImageBody::Length(length) => ([(CONTENT_TYPE, media_type), (CONTENT_LENGTH, length.into())], Body::empty()).into_response(),
        ImageBody::Content { length, stream } => {
            ([(CONTENT_TYPE, media_type), (CONTENT_LENGTH, length.into())], Body::from_stream(stream)).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&etag(&shown.image, size)) {
        headers.insert(ETAG, tag);
    }
    response
}
