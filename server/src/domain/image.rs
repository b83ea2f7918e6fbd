//! A profile's image: what it is called, in which sizes it is kept, and the address under which a client finds it.

use super::profile::ProfileId;
use super::tenant::TenantName;
use uuid::Uuid;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// The sizes in which every image is kept.
    ImageSize:
    /// As it was sent, but for metadata, and at most 2,048 pixels wide and high.
    Original = "original",
    /// 256 pixels square, cropped to the centre.
    Large = "256",
    /// 64 pixels square, cropped to the centre.
    Small = "64",
}

words! {
    /// The formats in which images are kept; the word is the extension of a file.
    ImageFormat: Jpeg = "jpg", Png = "png",
}

impl ImageFormat {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// The name of one uploaded image, in all its sizes. No two uploads share one, not even of the same picture: so what
/// was replaced can be deleted without a look at who may just be uploading it again. What a name stands for never
/// changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageId {
    /// UUID v7, made when the upload began.
    pub upload: Uuid,
    /// The first half of the SHA-256 of what is kept, all sizes together.
    pub content_hash: [u8; 16],
    pub format: ImageFormat,
}

impl ImageId {
    /// Reads what `Display` writes, and nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, extension) = text.split_once('.')?;
        let (upload, hash) = name.split_once('-')?;
        let (upload, hash) = (Uuid::try_parse(upload).ok()?, Uuid::try_parse(hash).ok()?);
        let id = Self { upload, content_hash: hash.into_bytes(), format: ImageFormat::parse(extension)? };
        // One spelling per name: `Uuid` would also take capitals and dashes.
        (id.to_string() == text).then_some(id)
    }

    /// The `profile_image_url` of a profile that has this image: a path under this API.
    pub fn url(&self, tenant: &TenantName, profile_id: ProfileId) -> String {
        format!("/v1/tenants/{tenant}/profiles/{profile_id}/image?v={self}")
    }

    /// The image that a `profile_image_url` speaks of.
    pub fn from_url(url: &str) -> Option<Self> {
        url.rsplit_once("/image?v=").and_then(|(_, id)| Self::parse(id))
    }
}

impl std::fmt::Display for ImageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hash = Uuid::from_bytes(self.content_hash);
        write!(f, "{}-{}.{}", self.upload.simple(), hash.simple(), self.format.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "0190163d8694739b8a3c94a6bd1f2e5f-00112233445566778899aabbccddeeff.jpg";

    #[test]
    fn a_name_is_read_as_it_is_written_and_in_no_other_spelling() {
        let id = ImageId::parse(NAME).unwrap();
        assert_eq!((id.to_string().as_str(), id.format), (NAME, ImageFormat::Jpeg));
        let wrong = ["", ".jpg", "a-b.jpg", &NAME.to_uppercase(), &NAME.replace(".jpg", ".gif"), &format!("{NAME}.jpg"), &NAME[1..]];
        for wrong in wrong {
            assert_eq!(ImageId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_address_carries_the_name() {
        let tenant = TenantName::parse("acme").unwrap();
        let id = ImageId::parse(NAME).unwrap();
        let url = id.url(&tenant, ProfileId(Uuid::nil()));
        assert_eq!(url, format!("/v1/tenants/acme/profiles/00000000-0000-0000-0000-000000000000/image?v={NAME}"));
        assert_eq!(ImageId::from_url(&url), Some(id));
        assert_eq!(ImageId::from_url("https://example.com/a.jpg"), None);
    }
}
