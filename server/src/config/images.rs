//! Where images are kept, and what an upload may cost.

use clap::Args;
use secrecy::SecretString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

const MIB: usize = 1024 * 1024;

#[derive(Debug, Clone, Args)]
pub struct ImagesConfig {
    /// file://FOLDER, or s3://BUCKET/PREFIX [default: file://DATA_DIR/images]
    #[arg(long, env = "IMAGES_URL", hide_default_value = true, value_name = "URL", global = true)]
    pub images_url: Option<String>,

    /// The largest image that can be uploaded
    #[arg(long, env = "MAX_IMAGE_BYTES", default_value_t = 10 * MIB, value_name = "BYTES", global = true)]
    pub max_image_bytes: usize,

    /// Images that are decoded at once [default: half of the cores]
    #[arg(long, env = "IMAGE_WORKERS", hide_default_value = true, value_name = "N", global = true)]
    pub image_workers: Option<NonZeroUsize>,

    /// Memory for decoding that all workers share; an image that alone needs more is refused
    #[arg(long, env = "IMAGE_MEMORY_MIB", default_value_t = 208, value_name = "MIB", global = true)]
    pub image_memory_mib: u32,

    /// Image uploads at work at once, those that wait for a worker included; more are answered 503 before they queue
    #[arg(long, env = "MAX_UPLOADS_IN_FLIGHT", default_value_t = 16, value_name = "N", global = true)]
    pub max_uploads_in_flight: usize,

    /// Send readers of an image to S3, with a presigned URL, instead of passing it through (true or false)
    #[arg(long, env = "IMAGES_REDIRECT", default_value_t = false, action = clap::ArgAction::Set, num_args = 0..=1,
        default_missing_value = "true", value_name = "BOOL", global = true)]
    pub images_redirect: bool,

    /// Another S3-compatible service than Amazon's; http:// is taken too
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL", global = true)]
    pub aws_endpoint_url: Option<String>,

    /// The region of the bucket [default: us-east-1]
    #[arg(long, env = "AWS_REGION", value_name = "REGION", global = true)]
    pub aws_region: Option<String>,

    /// Also taken from AWS_SECRET_ID. Without a key, the machine's or the container's role is asked
    #[arg(long, env = "AWS_ACCESS_KEY_ID", value_name = "KEY", global = true)]
    pub aws_access_key_id: Option<String>,

    /// Also taken from AWS_SECRET
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true, hide_default_value = true, value_name = "SECRET", global = true)]
    pub aws_secret_access_key: Option<SecretString>,

    /// For temporary keys
    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true, hide_default_value = true, value_name = "TOKEN", global = true)]
    pub aws_session_token: Option<SecretString>,
}

/// The place that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImagesUrl {
    Folder(PathBuf),
    S3 { bucket: String, prefix: String },
}

impl ImagesConfig {
    /// The error says what is expected.
    pub fn url(&self, data_dir: &Path) -> Result<ImagesUrl, String> {
        let Some(url) = given(self.images_url.as_ref()) else { return Ok(ImagesUrl::Folder(data_dir.join("images"))) };
        if let Some(path) = url.strip_prefix("file://").filter(|path| !path.is_empty()) {
            return Ok(ImagesUrl::Folder(PathBuf::from(path)));
        }
        let place = url.strip_prefix("s3://").unwrap_or_default();
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() || place.contains(['?', '#', '@']) {
            return Err(
                "IMAGES_URL must be file://FOLDER or s3://BUCKET/PREFIX; keys are given in AWS_ACCESS_KEY_ID and its like".to_owned()
            );
        }
        Ok(ImagesUrl::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
    }

    /// Half of the cores by default, so that uploads leave the other half to everybody else.
    pub fn workers(&self) -> usize {
        let half = || std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1));
        self.image_workers.map_or_else(half, NonZeroUsize::get)
    }

    /// `None` for Amazon's own.
    pub fn endpoint(&self) -> Option<&str> {
        given(self.aws_endpoint_url.as_ref())
    }

    pub fn region(&self) -> &str {
        given(self.aws_region.as_ref()).unwrap_or("us-east-1")
    }
}

/// An empty variable sets nothing.
fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        images: ImagesConfig,
    }

    fn url(text: &str) -> Result<ImagesUrl, String> {
        Flags::parse_from(["n_users", "--images-url", text]).images.url(Path::new("data"))
    }

    #[test]
    fn a_folder_or_a_bucket_is_meant() {
        let s3 = |bucket: &str, prefix: &str| Ok(ImagesUrl::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() });
        assert_eq!(url(""), Ok(ImagesUrl::Folder("data/images".into())));
        assert_eq!(url("file:///srv/images"), Ok(ImagesUrl::Folder("/srv/images".into())));
        assert_eq!(url("file://images"), Ok(ImagesUrl::Folder("images".into())));
        assert_eq!(url("s3://bucket"), s3("bucket", ""));
        assert_eq!(url("s3://bucket/a/b/"), s3("bucket", "a/b"));
        for wrong in ["bucket", "file://", "s3://", "s3:///a", "s3://key:secret@bucket", "https://bucket"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }
}
