//! An upload of one file: its place among a bounded number of others, its body within bounds, raw or as a form.

use super::write::{Conditions, announced_length, fingerprint, too_large};
use crate::api::AppState;
use crate::api::problem::{Kind, Problem};
use crate::domain::idempotency::Attempt;
use crate::domain::version::Expected;
use crate::service::images::UploadPlace;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyDataStream, BodyExt};
use multer::{Constraints, Multipart, SizeLimit};
use std::time::Duration;

/// The one field of a form.
pub const FIELD: &str = "profile_image";
/// What a form may add to its file: boundaries and headers.
const FORM_BYTES: u64 = 16 * 1024;
/// A client that is refused while it still sends hears of it only if somebody listens to the rest, for a while.
const LISTEN_FOR: Duration = Duration::from_secs(10);
const LISTEN_TO_BYTES: u64 = 64 * 1024 * 1024;

/// Everything of an upload but who sends it and whom it is about.
pub struct Upload {
    pub expected: Expected,
    pub file: Bytes,
    conditions: Conditions,
    fingerprint: [u8; 32],
    _place: UploadPlace,
}

impl Upload {
    /// The attempt of this client, if the request carries an idempotency key.
    pub fn attempt(&self, app: &AppState, subject: &str) -> Option<Attempt> {
        self.conditions.attempt(app, subject, self.fingerprint)
    }
}

impl FromRequest<AppState> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Problem> {
        let (parts, mut body) = request.into_parts();
        match receive(&parts.headers, &mut body, app).await {
            Ok((conditions, file, place)) => {
                // Of the file and not of the body: a form that is sent again has another boundary.
                let fingerprint = fingerprint(&parts, &file);
                Ok(Self { expected: conditions.expected.clone(), file, conditions, fingerprint, _place: place })
            }
            Err(problem) => {
                let _ = tokio::time::timeout(LISTEN_FOR, discard(&mut body)).await;
                Err(problem)
            }
        }
    }
}

async fn receive(headers: &HeaderMap, body: &mut Body, app: &AppState) -> Result<(Conditions, Bytes, UploadPlace), Problem> {
    let conditions = Conditions::read(headers)?;
    let max_bytes = app.max_image_bytes;
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_form = essence == "multipart/form-data";
    if !is_form && !essence.starts_with("image/") {
        let detail =
            "Send the image itself, with a Content-Type like image/jpeg, or a form (multipart/form-data) with the field profile_image.";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    let allowed = if is_form { max_bytes as u64 + FORM_BYTES } else { max_bytes as u64 };
    let announced = announced_length(headers);
    if announced.is_some_and(|length| length > allowed) {
        return Err(too_large(max_bytes));
    }
    let place = app.directory()?.place_for_upload()?;
    let expected_bytes = announced.map_or(0, |length| usize::try_from(length).unwrap_or(0).min(max_bytes));
    let file = if is_form {
        file_of_form(content_type, body, max_bytes, expected_bytes).await?
    } else {
        whole_body(body, max_bytes, expected_bytes).await?
    };
    if file.is_empty() {
        return Err(Problem::new(Kind::UnusableImage, "There is no image: the body, or the form's field, is empty."));
    }
    Ok((conditions, file, place))
}

async fn whole_body(body: &mut Body, max_bytes: usize, expected_bytes: usize) -> Result<Bytes, Problem> {
    let mut file = Vec::with_capacity(expected_bytes);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::new(Kind::MalformedBody, "The body could not be read to its end.").because(error))?;
        let Ok(data) = frame.into_data() else { continue };
        append(&mut file, &data, max_bytes)?;
    }
    Ok(file.into())
}

async fn file_of_form(content_type: &str, body: &mut Body, max_bytes: usize, expected_bytes: usize) -> Result<Bytes, Problem> {
    let boundary = multer::parse_boundary(content_type).map_err(|error| malformed(error, max_bytes))?;
    let constraints = Constraints::new()
        .allowed_fields(vec![FIELD])
        .size_limit(SizeLimit::new().whole_stream(max_bytes as u64 + FORM_BYTES).per_field(max_bytes as u64));
    let mut form = Multipart::with_constraints(BodyDataStream::new(body), boundary, constraints);
    let mut file: Option<Vec<u8>> = None;
    while let Some(mut field) = form.next_field().await.map_err(|error| malformed(error, max_bytes))? {
        if file.is_some() {
            return Err(Problem::new(Kind::MalformedBody, "The form has the field profile_image more than once."));
        }
        if field.file_name().is_some_and(|name| name.contains(['/', '\\', '\0'])) {
            return Err(Problem::new(Kind::MalformedBody, "The file name in the form is a path: send the name alone, or none."));
        }
        let mut bytes = Vec::with_capacity(expected_bytes);
        while let Some(chunk) = field.chunk().await.map_err(|error| malformed(error, max_bytes))? {
            append(&mut bytes, &chunk, max_bytes)?;
        }
        file = Some(bytes);
    }
    file.map(Bytes::from).ok_or_else(|| Problem::new(Kind::MalformedBody, "The form has no field profile_image."))
}

fn append(file: &mut Vec<u8>, data: &[u8], max_bytes: usize) -> Result<(), Problem> {
    if file.len() + data.len() > max_bytes {
        return Err(too_large(max_bytes));
    }
    file.extend_from_slice(data);
    Ok(())
}

fn malformed(error: multer::Error, max_bytes: usize) -> Problem {
    use multer::Error;
    match error {
        Error::FieldSizeExceeded { .. } | Error::StreamSizeExceeded { .. } => too_large(max_bytes),
        Error::UnknownField { field_name } => {
            // Named back only if it is harmless to print.
            let name =
                field_name.filter(|name| name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            let which = name.map_or_else(|| "a field".to_owned(), |name| format!("the field {name}"));
            Problem::new(Kind::MalformedBody, format!("The form has {which}, which is not known: it has one field, profile_image."))
        }
        Error::NoBoundary => Problem::new(Kind::MalformedBody, "The header Content-Type of the form has no boundary."),
        other => Problem::new(Kind::MalformedBody, "The form could not be read to its end.").because(other),
    }
}

async fn discard(body: &mut Body) {
    let mut left = LISTEN_TO_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
