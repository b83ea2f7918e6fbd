//! Where images are kept: under `{tenant}/{profile_id}/{image}/{size}.{format}`, in a local folder or in S3. An object
//! is there whole or not at all, and is never written over by another: the image's name is used once.

use super::error::{ImageError, Result};
use super::local;
use super::variants::Variants;
use super::workers::{Place, Workers};
use crate::config::images::{ImagesConfig, ImagesUrl};
use crate::domain::image::{ImageId, ImageSize};
use crate::domain::profile::ProfileId;
use crate::domain::tenant::TenantName;
use crate::telemetry::traces::{Span, Work, within};
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryFutureExt, TryStreamExt};
use http::Method;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig,
};
use secrecy::ExposeSecret;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a presigned URL is good for: its reader follows at once, on a clock that may be off a little.
const SIGNED_FOR: Duration = Duration::from_secs(300);
/// How long S3 may keep silent before a request is given up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const READ_TIMEOUT: Duration = Duration::from_secs(8);
/// A request to S3 is tried again within this time, so that an answer stands before the client's own deadline.
const RETRY_FOR: Duration = Duration::from_secs(4);
const MAX_RETRIES: usize = 3;

/// Which database the images belong to: an object beside them says.
const OWNER: &str = "belongs_to";

/// The images of all profiles.
#[derive(Debug, Clone)]
pub struct ImageStore {
    objects: Arc<dyn ObjectStore>,
    /// Before every key.
    prefix: Path,
    /// Set when objects lie in a local folder.
    folder: Option<PathBuf>,
    /// Set when readers are sent to the store itself.
    signer: Option<Arc<dyn Signer>>,
    workers: Workers,
    /// Set once this process has seen that the store is its database's.
    is_own: Arc<AtomicBool>,
}

/// An object on its way out.
pub struct Content {
    pub length: u64,
    pub stream: BoxStream<'static, Result<Bytes>>,
}

/// An object as a listing shows it.
#[derive(Debug, Clone)]
pub struct Listed {
    pub tenant: TenantName,
    pub profile_id: ProfileId,
    pub image: ImageId,
    /// The size and the format.
    pub file: String,
    pub bytes: u64,
    pub modified_ms: i64,
    at: Location,
}

#[derive(Debug, Clone)]
enum Location {
    Object(Path),
    /// A file that an upload has not finished.
    Staged(PathBuf),
}

impl Listed {
    /// Whether it is what an upload left unfinished, and not an object.
    pub fn is_staged(&self) -> bool {
        matches!(self.at, Location::Staged(_))
    }
}

impl ImageStore {
    /// Opens the store without asking whether it answers: the service starts without one. The error is for the person
    /// at the terminal.
    pub fn open(config: &ImagesConfig, data_dir: &std::path::Path) -> std::result::Result<Self, String> {
        let workers = Workers::new(config.max_uploads_in_flight, config.workers(), config.image_memory_mib)
            .map_err(|e| format!("threads for images: {e}"))?;
        match config.url(data_dir)? {
            ImagesUrl::Folder(_) if config.images_redirect => Err("IMAGES_REDIRECT needs an IMAGES_URL that begins with s3://".to_owned()),
            ImagesUrl::Folder(folder) => {
                let objects = Arc::new(local::open(&folder)?);
                Ok(Self { objects, prefix: Path::default(), folder: Some(folder), signer: None, workers, is_own: Arc::default() })
            }
            ImagesUrl::S3 { bucket, prefix } => {
                let prefix = Path::parse(prefix).map_err(|e| format!("IMAGES_URL: {e}"))?;
                let objects = Arc::new(s3(config, bucket).build().map_err(|e| format!("IMAGES_URL: {e}"))?);
                let signer = config.images_redirect.then(|| objects.clone() as Arc<dyn Signer>);
                Ok(Self { objects, prefix, folder: None, signer, workers, is_own: Arc::default() })
            }
        }
    }

    /// A place for an upload, or `Busy`.
    pub fn place_for_upload(&self) -> Result<Place> {
        self.workers.place_for_upload()
    }

    /// What is to be kept of a file; `Unsupported` or `Unusable` if it is no image as it should be.
    pub async fn variants(&self, file: Bytes) -> Result<Variants> {
        let work = || Work { name: "make_image_variants", is_client: false, attributes: Vec::new() };
        within(work, self.workers.variants(file), tell).await
    }

    /// Takes the store for the database of this id, unless it has an owner already; whether it is that database's. Two
    /// that share a store would take each other's images for garbage.
    pub async fn claim(&self, owner: &str) -> Result<bool> {
        if self.is_own.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let payload = PutPayload::from(owner.to_owned());
        match self.objects.put_opts(&self.owner_key(), payload, PutMode::Create.into()).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        // Read back, because not every S3 heeds the condition.
        let is_own = self.belongs_to(owner).await?;
        self.is_own.store(is_own, Ordering::Relaxed);
        Ok(is_own)
    }

    /// Whether the store is the database's of this id; one that nobody has taken yet is nobody's.
    pub async fn belongs_to(&self, owner: &str) -> Result<bool> {
        match self.objects.get(&self.owner_key()).await {
            Ok(object) => Ok(object.bytes().await?.as_ref() == owner.as_bytes()),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn owner_key(&self) -> Path {
        self.prefix.clone().join(OWNER)
    }

    /// Writes an image in all sizes. After an error some of them may be there.
    pub async fn put(&self, tenant: &TenantName, profile_id: ProfileId, image: &ImageId, variants: &Variants) -> Result<()> {
        let puts = ImageSize::ALL.iter().map(|size| async move {
            let payload = PutPayload::from_bytes(variants.bytes(*size).clone());
            self.objects.put_opts(&self.key(tenant, profile_id, image, *size), payload, self.put_options(image)).await
        });
        self.traced("put_image", futures::future::try_join_all(puts).map_err(ImageError::from)).await?;
        Ok(())
    }

    /// Opens an image for a reader.
    pub async fn get(&self, tenant: &TenantName, profile_id: ProfileId, image: &ImageId, size: ImageSize) -> Result<Content> {
        let _place = self.workers.place_for_reader()?;
        let key = self.key(tenant, profile_id, image, size);
        let object = self.traced("get_image", self.objects.get(&key).map_err(ImageError::from)).await?;
        Ok(Content { length: object.meta.size, stream: object.into_stream().map_err(ImageError::from).boxed() })
    }

    /// How long an image is, in bytes.
    pub async fn length(&self, tenant: &TenantName, profile_id: ProfileId, image: &ImageId, size: ImageSize) -> Result<u64> {
        let _place = self.workers.place_for_reader()?;
        let key = self.key(tenant, profile_id, image, size);
        Ok(self.traced("head_image", self.objects.head(&key).map_err(ImageError::from)).await?.size)
    }

    /// Where a reader gets an image from the store itself for some minutes; `None` when it is passed through here.
    pub async fn signed_url(
        &self,
        method: Method,
        tenant: &TenantName,
        profile_id: ProfileId,
        image: &ImageId,
        size: ImageSize,
    ) -> Result<Option<String>> {
        let Some(signer) = &self.signer else { return Ok(None) };
        let url = signer.signed_url(method, &self.key(tenant, profile_id, image, size), SIGNED_FOR).await?;
        Ok(Some(url.into()))
    }

    /// Removes an image in all sizes.
    pub async fn delete(&self, tenant: &TenantName, profile_id: ProfileId, image: &ImageId) -> Result<()> {
        self.traced("delete_image", self.delete_sizes(tenant, profile_id, image)).await
    }

    async fn delete_sizes(&self, tenant: &TenantName, profile_id: ProfileId, image: &ImageId) -> Result<()> {
        if let Some(folder) = self.folder.clone() {
            let path = folder.join(tenant.as_str()).join(profile_id.to_string()).join(image.to_string());
            return blocking(move || local::erase(&folder, &path)).await;
        }
        let keys: Vec<_> = ImageSize::ALL.iter().map(|size| Ok(self.key(tenant, profile_id, image, *size))).collect();
        self.delete_all(futures::stream::iter(keys).boxed()).await
    }

    /// Removes everything of a profile, unfinished uploads included.
    pub async fn erase(&self, tenant: &TenantName, profile_id: ProfileId) -> Result<()> {
        self.traced("erase_images", self.erase_all(tenant, profile_id)).await
    }

    async fn erase_all(&self, tenant: &TenantName, profile_id: ProfileId) -> Result<()> {
        if let Some(folder) = self.folder.clone() {
            let path = folder.join(tenant.as_str()).join(profile_id.to_string());
            return blocking(move || local::erase(&folder, &path)).await;
        }
        let prefix = self.prefix.clone().join(tenant.as_str()).join(profile_id.to_string());
        let keys = self.objects.list(Some(&prefix)).map_ok(|object| object.location).boxed();
        self.delete_all(keys).await
    }

    /// The profiles of a tenant of which there is something here.
    pub async fn profiles_of(&self, tenant: &TenantName) -> Result<Vec<ProfileId>> {
        let listed = self.objects.list_with_delimiter(Some(&self.prefix.clone().join(tenant.as_str()))).await?;
        Ok(listed.common_prefixes.iter().filter_map(|path| ProfileId::parse(path.filename()?)).collect())
    }

    /// Everything that is kept, in no order. What does not look like ours is `None`.
    pub async fn list(&self) -> Result<BoxStream<'_, Result<Option<Listed>>>> {
        let owner = self.owner_key();
        let objects = self.objects.list(Some(&self.prefix)).map_err(ImageError::from);
        let objects = objects.try_filter(move |object| std::future::ready(object.location != owner)).map_ok(|object| {
            let place = self.place_of(object.location.as_ref())?;
            let modified_ms = object.last_modified.timestamp_millis();
            Some(Listed { bytes: object.size, modified_ms, at: Location::Object(object.location), ..place })
        });
        let Some(folder) = self.folder.clone() else { return Ok(objects.boxed()) };
        let listed_folder = folder.clone();
        let staged = blocking(move || local::staged(&listed_folder)).await?.into_iter().map(move |staged| {
            let relative = staged.path.strip_prefix(&folder).ok().and_then(std::path::Path::to_str).unwrap_or_default();
            let relative = relative.rsplit_once('#').map_or(relative, |(name, _)| name);
            let place = self.place_of(relative);
            Ok(place.map(|place| Listed {
                bytes: staged.bytes,
                modified_ms: staged.modified_ms,
                at: Location::Staged(staged.path),
                ..place
            }))
        });
        Ok(objects.chain(futures::stream::iter(staged)).boxed())
    }

    /// Removes what was listed.
    pub async fn remove(&self, listed: Vec<Listed>) -> Result<()> {
        let mut keys = Vec::new();
        for listed in listed {
            match (listed.at, self.folder.clone()) {
                (Location::Object(path), _) => keys.push(Ok(path)),
                (Location::Staged(path), Some(folder)) => blocking(move || local::remove(&folder, &path)).await?,
                (Location::Staged(_), None) => {}
            }
        }
        self.delete_all(futures::stream::iter(keys).boxed()).await
    }

    /// Answers when the store does.
    pub async fn ping(&self) -> Result<()> {
        if let Some(folder) = self.folder.clone() {
            return blocking(move || std::fs::read_dir(folder).map(drop)).await;
        }
        // One page of a folder that has nothing: enough to see the bucket, the key and the way there.
        self.objects.list_with_delimiter(Some(&self.prefix.clone().join(".probe"))).await?;
        Ok(())
    }

    async fn traced<T>(&self, name: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
        within(|| Work { name, is_client: self.folder.is_none(), attributes: Vec::new() }, work, tell).await
    }

    async fn delete_all(&self, keys: BoxStream<'static, object_store::Result<Path>>) -> Result<()> {
        let mut deleted = self.objects.delete_stream(keys);
        let mut outcome = Ok(());
        while let Some(one) = deleted.next().await {
            match one.map_err(ImageError::from) {
                // Not there: somebody else was faster.
                Ok(_) | Err(ImageError::NotFound) => {}
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    fn key(&self, tenant: &TenantName, profile_id: ProfileId, image: &ImageId, size: ImageSize) -> Path {
        let file = format!("{}.{}", size.as_str(), image.format.as_str());
        self.prefix.clone().join(tenant.as_str()).join(profile_id.to_string()).join(image.to_string()).join(file)
    }

    /// Reads a key back.
    fn place_of(&self, key: &str) -> Option<Listed> {
        let key = key.strip_prefix(self.prefix.as_ref())?.trim_start_matches('/');
        let mut parts = key.split('/');
        let (tenant, profile_id, image, file) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (tenant, profile_id, image) = (TenantName::parse(tenant).ok()?, ProfileId::parse(profile_id)?, ImageId::parse(image)?);
        let (size, format) = file.split_once('.')?;
        let is_ours = ImageSize::parse(size).is_some() && format == image.format.as_str() && parts.next().is_none();
        let at = Location::Object(Path::default());
        is_ours.then_some(Listed { tenant, profile_id, image, file: file.to_owned(), bytes: 0, modified_ms: 0, at })
    }

    /// S3 tells a reader whom it serves by itself what the object is; a folder knows no such thing.
    fn put_options(&self, image: &ImageId) -> PutOptions {
        if self.folder.is_some() {
            return PutOptions::default();
        }
        let media_type = (Attribute::ContentType, image.format.media_type());
        let caching = (Attribute::CacheControl, "private, max-age=86400, immutable");
        Attributes::from_iter([media_type, caching]).into()
    }
}

/// What refuses is an answer, and no failure.
fn tell<T>(outcome: &Result<T>, span: Span<'_>) {
    match outcome {
        Err(ImageError::Unavailable(_)) => span.fail("unavailable"),
        Err(ImageError::Internal(_)) => span.fail("internal"),
        Err(ImageError::Unsupported | ImageError::Unusable(_) | ImageError::Busy | ImageError::NotFound) | Ok(_) => {}
    }
}

fn s3(config: &ImagesConfig, bucket: String) -> AmazonS3Builder {
    let client = ClientOptions::new()
        // A reader on a slow line may take long over an image; a store that is silent may not.
        .with_timeout_disabled()
        .with_read_timeout(READ_TIMEOUT)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_allow_http(config.endpoint().is_some_and(|endpoint| endpoint.starts_with("http://")));
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(50), max_backoff: Duration::from_millis(500), base: 2.0 };
    let retry = RetryConfig { backoff, max_retries: MAX_RETRIES, retry_timeout: RETRY_FOR };
    // From the environment come the machine's and the container's roles; our own settings win over it.
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_region(config.region());
    builder = builder.with_client_options(client).with_retry(retry);
    if let Some(endpoint) = config.endpoint() {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(key) = config.aws_access_key_id.as_ref().filter(|key| !key.is_empty()) {
        builder = builder.with_access_key_id(key);
    }
    if let Some(secret) = &config.aws_secret_access_key {
        builder = builder.with_secret_access_key(secret.expose_secret());
    }
    if let Some(token) = &config.aws_session_token {
        builder = builder.with_token(token.expose_secret());
    }
    builder
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T> {
    let outcome = tokio::task::spawn_blocking(work).await.map_err(ImageError::internal)?;
    outcome.map_err(|error| ImageError::Unavailable(Box::new(error)))
}
