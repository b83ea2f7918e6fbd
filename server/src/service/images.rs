//! A profile's image: put, shown, removed. Objects are written first, then the row changes in one step, then the old
//! objects go: at every moment, a crash included, a profile points to an image that is whole.

use super::call::Call;
use super::error::{Error, Result};
use super::profiles::Condition;
use super::retry::Purpose;
use super::{Directory, retry};
use crate::domain::change::{Change, ChangeKind};
use crate::domain::idempotency::Written;
use crate::domain::image::{ImageId, ImageSize};
use crate::domain::profile::{Profile, ProfileId};
use crate::domain::tenant::TenantName;
use crate::domain::version::Expected;
use crate::images::{ImageError, Place, Variants, erase_behind};
use crate::store::Replacement;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use http::Method;
use std::sync::Mutex;

/// An upload that took longer is not carried out: what it wrote may be taken for what a crash left behind. A fraction
/// of the age that `collect_images` waits for.
pub(super) const LONGEST_UPLOAD_MS: i64 = 5 * 60 * 1000;
/// An image may be replaced between the look at the row and the look into the store: then there is a newer one.
const MAX_LOOKS: usize = 5;

/// The right to upload an image: of places for that, a node has a bounded number.
pub struct UploadPlace(#[expect(dead_code, reason = "held, never read")] Place);

/// An image for a reader.
pub struct ShownImage {
    pub image: ImageId,
    pub body: ImageBody,
}

pub enum ImageBody {
    /// The reader has it already.
    Known,
    /// A reader who asks for no content is told its length.
    Length(u64),
    /// The store itself has it for the reader, at this URL.
    Elsewhere(String),
    Content {
        length: u64,
        stream: BoxStream<'static, std::io::Result<Bytes>>,
    },
}

impl Directory {
    /// A place for an upload; to be had before its body is read, and held until it is answered.
    pub fn place_for_upload(&self) -> Result<UploadPlace> {
        Ok(UploadPlace(self.images.place_for_upload()?))
    }

    /// Whether the image store answers.
    pub async fn ping_images(&self) -> Result<()> {
        Ok(self.images.ping().await?)
    }

    /// Makes `file` the image of a live profile. The image that is there already is answered as it is.
    pub async fn put_image(&self, call: &Call, profile_id: ProfileId, expected: &Expected, file: Bytes) -> Result<Written> {
        let began = self.now().0;
        let condition = Condition { expected: expected.clone(), filter: None };
        retry::once(&*self.store, Purpose::Users(&call.reach), &call.tenant, call.attempt.as_ref(), async {
            // Work is not begun for what will be refused.
            let profile = self.read_profile(call, profile_id, false).await?;
            condition.check(&profile)?;
            if !self.images.claim(&self.id).await? {
                return Err(Error::ImagesUnavailable("IMAGES_URL is the place of another database's images".into()));
            }
            let variants = self.images.variants(file).await?;
            if self.has_already(&profile, &variants).await {
                return self
                    .swap_image(call, profile_id, &condition, |old| Ok(old.profile_image_url.clone()))
                    .await
                    .map(|(written, _)| written);
            }
            let image = ImageId { upload: self.clock.new_id(), content_hash: variants.content_hash, format: variants.format };
            if let Err(error) = self.images.put(&call.tenant, profile_id, &image, &variants).await {
                self.remove_objects(&call.tenant, profile_id, image).await;
                return Err(error.into());
            }
            let url = image.url(&call.tenant, profile_id);
            let swapped = self
                .swap_image(call, profile_id, &condition, |_| {
                    if self.now().0 - began > LONGEST_UPLOAD_MS { Err(Error::Contended) } else { Ok(Some(url.clone())) }
                })
                .await;
            match swapped {
                Ok((written, old)) => {
                    if let Some(old) = old.filter(|old| *old != image) {
                        self.remove_objects(&call.tenant, profile_id, old).await;
                    }
                    Ok(written)
                }
                Err(error) => {
                    if is_certain(&error) {
                        self.remove_objects(&call.tenant, profile_id, image).await;
                    }
                    Err(error)
                }
            }
        })
        .await
    }

    /// Takes the image from a live profile.
    pub async fn delete_image(&self, call: &Call, profile_id: ProfileId, expected: &Expected) -> Result<Written> {
        let condition = Condition { expected: expected.clone(), filter: None };
        retry::once(&*self.store, Purpose::Users(&call.reach), &call.tenant, call.attempt.as_ref(), async {
            let swapped = self.swap_image(call, profile_id, &condition, |old| match &old.profile_image_url {
                None => Err(Error::NotFound("image")),
                Some(_) => Ok(None),
            });
            let (_, old) = swapped.await?;
            if let Some(old) = old {
                self.remove_objects(&call.tenant, profile_id, old).await;
            }
            Ok(Written::Gone)
        })
        .await
        .map(|_| Written::Gone)
    }

    /// The image of a live profile. `known` says whether the reader has this one; `HEAD` gets no content.
    pub async fn read_image(
        &self,
        call: &Call,
        profile_id: ProfileId,
        size: ImageSize,
        method: &Method,
        known: impl Fn(&ImageId) -> bool + Send + Sync,
    ) -> Result<ShownImage> {
        let mut last = None;
        for _ in 0..MAX_LOOKS {
            let profile = self.read_profile(call, profile_id, false).await?;
            let image = image_of(&profile).ok_or(Error::NotFound("image"))?;
            if known(&image) {
                return Ok(ShownImage { image, body: ImageBody::Known });
            }
            match self.open(&call.tenant, profile_id, image, size, method).await {
                Ok(body) => return Ok(ShownImage { image, body }),
                Err(ImageError::NotFound) if last != Some(image) => last = Some(image),
                Err(ImageError::NotFound) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Internal("the objects of an image are not in the store".into()))
    }

    async fn open(
        &self,
        tenant: &TenantName,
        profile_id: ProfileId,
        image: ImageId,
        size: ImageSize,
        method: &Method,
    ) -> std::result::Result<ImageBody, ImageError> {
        if let Some(url) = self.images.signed_url(method.clone(), tenant, profile_id, &image, size).await? {
            return Ok(ImageBody::Elsewhere(url));
        }
        if method == Method::HEAD {
            return Ok(ImageBody::Length(self.images.length(tenant, profile_id, &image, size).await?));
        }
        let content = self.images.get(tenant, profile_id, &image, size).await?;
        let stream = content.stream.map(|chunk| chunk.map_err(std::io::Error::other)).boxed();
        Ok(ImageBody::Content { length: content.length, stream })
    }

    /// Whether the profile's image is the same picture, and still in the store: then a repeated upload changes
    /// nothing, and one that is to mend a lost image does.
    async fn has_already(&self, profile: &Profile, variants: &Variants) -> bool {
        let Some(image) = image_of(profile) else { return false };
        if image.content_hash != variants.content_hash || image.format != variants.format {
            return false;
        }
        let lengths = ImageSize::ALL.iter().map(|size| self.images.length(&profile.tenant_name, profile.profile_id, &image, *size));
        let lengths = futures::future::join_all(lengths).await;
        lengths.iter().zip(ImageSize::ALL).all(|(length, size)| matches!(length, Ok(n) if *n == variants.bytes(*size).len() as u64))
    }

    /// Sets `profile_image_url` to what `decide` makes of the live profile; with the outcome, the image it had before.
    async fn swap_image<D>(
        &self,
        call: &Call,
        profile_id: ProfileId,
        condition: &Condition,
        decide: D,
    ) -> Result<(Written, Option<ImageId>)>
    where
        D: Fn(&Profile) -> Result<Option<String>> + Send + Sync,
    {
        let before = Mutex::new(None);
        let written = self
            .swap_profile(call, profile_id, false, |old| {
                condition.check(old)?;
                let url = decide(old)?;
                if let Ok(mut before) = before.lock() {
                    *before = image_of(old);
                }
                if url == old.profile_image_url {
                    return Ok(None);
                }
                let mut new = Profile { profile_image_url: url, ..old.clone() };
                new.touch(&call.subject, self.now());
                let change = Change::of_profile(ChangeKind::ProfileUpdated, &new, vec!["profile_image_url"]);
                Ok(Some(Replacement { expected: old.version, profile: new, change }))
            })
            .await?;
        Ok((written, before.into_inner().unwrap_or_default()))
    }

    async fn remove_objects(&self, tenant: &TenantName, profile_id: ProfileId, image: ImageId) {
        let (images, tenant) = (self.images.clone(), tenant.clone());
        erase_behind("objects of an image", async move { images.delete(&tenant, profile_id, &image).await }).await;
    }

    /// Erases the images of profiles that the database has forgotten.
    pub(super) async fn erase_images(&self, tenant: &TenantName, profile_ids: Vec<ProfileId>) {
        let (images, tenant) = (self.images.clone(), tenant.clone());
        erase_behind("images of purged profiles", async move {
            let mut outcome = Ok(());
            for profile_id in profile_ids {
                outcome = images.erase(&tenant, profile_id).await.and(outcome);
            }
            outcome
        })
        .await;
    }

    /// Erases the images of a tenant that the database has forgotten. There may be a new one of this name by now; its
    /// profiles are other ones.
    pub(super) async fn erase_images_of_tenant(&self, tenant: &TenantName) {
        let (images, store, tenant) = (self.images.clone(), self.store.clone(), tenant.clone());
        erase_behind("images of a deleted tenant", async move {
            for profile_id in images.profiles_of(&tenant).await? {
                match store.read_profile(&tenant, profile_id).await {
                    Ok(None) | Err(crate::store::StoreError::TenantUnknown) => images.erase(&tenant, profile_id).await?,
                    Ok(Some(_)) => {}
                    Err(error) => return Err(ImageError::internal(error)),
                }
            }
            Ok(())
        })
        .await;
    }
}

pub(super) fn image_of(profile: &Profile) -> Option<ImageId> {
    profile.profile_image_url.as_deref().and_then(ImageId::from_url)
}

/// Whether the error says for certain that the row does not point to the new image. When the database broke off, it
/// may or may not.
fn is_certain(error: &Error) -> bool {
    matches!(error, Error::NotFound(_) | Error::PreconditionFailed(_) | Error::TenantSuspended | Error::Contended)
}
